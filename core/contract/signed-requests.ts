/**
 * Signed requests: who starts a run, votes or changes a run proves it by a token, a JSON Web Signature in compact form (RFC 7515)
 * with Ed25519 (`alg` EdDSA, RFC 8037) over the claims of a JSON Web Token (RFC 7519). Each token says exactly what it is for, is valid
 * for a while, and counts once.
 */

/** `accepted`: names are taken as given, a token is checked where there is one. `required`: nobody starts, votes or changes without one. */
export type Signatures = 'accepted' | 'required';

export const tokenAudience = 'vapora';
/** The header's `typ`: no token of another purpose passes for one of ours. */
export const tokenType = 'vapora-request+jwt';
export const tokenAlgorithm = 'EdDSA';
/** Characters of a whole token. */
export const maxTokenLength = 8_192;
/** Seconds from `iat` to `exp`, at most. */
export const maxTokenLifetimeS = 7 * 24 * 3600;
export const defaultTokenLifetimeS = 3600;

/** Three parts of base64url with dots between them. Cheap: what does not even look like a token is not verified. */
const tokenPattern = /^[\w-]{1,2000}\.[\w-]{1,6000}\.[\w-]{1,200}$/;

export function looksLikeToken(text: string): boolean {
  return text.length <= maxTokenLength && tokenPattern.test(text);
}

/** What every token says. Times are seconds since 1970, as JSON Web Tokens have them. */
interface CommonClaims {
  /** Whose signature it is: the person whom the key belongs to. */
  sub: string;
  aud: string;
  iat: number;
  exp: number;
  /** Unique: a token counts once. */
  jti: string;
}

/** A vote about one gate of one run (its root run id) that follows one plan. */
export interface VoteClaims extends CommonClaims {
  act: 'vote';
  run: string;
  plan: string;
  gate: string;
  decision: 'approve' | 'reject';
  /** Of the gate, as the voter saw it. Absent: whatever generation it has when the vote comes. */
  generation?: number;
  reason?: string;
}

/** A change of one run, or what a person reports of a step. `digest`: of the whole message but its token. */
export interface MessageClaims extends CommonClaims {
  act: 'adjust' | 'report';
  run: string;
  plan: string;
  digest: string;
}

/** The start of a run. `id`: its workflow id. `digest`: of the start input but its token. */
export interface StartClaims extends CommonClaims {
  act: 'start';
  definition: string;
  id: string;
  digest: string;
}

export type TokenClaims = VoteClaims | MessageClaims | StartClaims;

export interface VerifyInput {
  tokens: {
    token: string;
    /** What it must be the signature of, where it is no vote. */
    message?: Record<string, unknown>;
  }[];
}

/** `key`: the id of the key that signed. */
export type VerifiedToken = { ok: true; claims: TokenClaims; key: string } | { ok: false; code: TokenRefusal; reason: string };

export interface VerifyOutput {
  /** In the order of the tokens. */
  verified: VerifiedToken[];
}

export const tokenRefusals = [
  'bad_token', // forged, of an unknown or revoked key, or for something else
  'expired_token',
] as const;
export type TokenRefusal = (typeof tokenRefusals)[number];
