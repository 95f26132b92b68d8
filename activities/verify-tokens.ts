import { decodeProtectedHeader, errors, importJWK, jwtVerify, type JWK, type JWTPayload } from 'jose';
import {
  maxTokenLifetimeS,
  tokenAlgorithm,
  tokenAudience,
  tokenType,
  type TokenClaims,
  type VerifiedToken,
  type VerifyInput,
  type VerifyOutput,
} from '../core/contract/signed-requests';
import type { Database } from '../db/connect';
import { messageDigest } from '../db/hash';
import { findSigningKeys, type SigningKey } from '../db/queries/signing-keys';

/** Clocks of two machines differ by less than this. */
const clockToleranceS = 60;
/** Characters of a key's id and of a token's. */
const maxIdLength = 200;

/** The activity `vapora.verify`. Rejects only while the database cannot be asked: what is wrong with a token is its answer. */
export function createVerifyActivity(db: () => Database): (input: VerifyInput) => Promise<VerifyOutput> {
  return async ({ tokens }) => {
    const keys = await findSigningKeys(
      db(),
      tokens.flatMap(({ token }) => keyIdOf(token) ?? []),
    );
    return { verified: await Promise.all(tokens.map((signed) => verifyToken(keys, signed, Date.now()))) };
  };
}

/** One token, by the registered keys. `atMs`: the time at which it has to be valid. `message`: what it must be the signature of. */
export async function verifyToken(
  keys: ReadonlyMap<string, SigningKey>,
  { token, message }: VerifyInput['tokens'][number],
  atMs: number,
): Promise<VerifiedToken> {
  const id = keyIdOf(token);
  const key = id === undefined ? undefined : keys.get(id);
  if (key === undefined) return bad(id === undefined ? 'it does not name its key' : `nobody has registered the key ${id}`);
  if (key.revokedAt !== null) return bad(`the key ${key.id} of ${key.person} is revoked`);
  try {
    const publicKey = await importJWK(key.publicKey as JWK, tokenAlgorithm);
    const { payload } = await jwtVerify(token, publicKey, {
      algorithms: [tokenAlgorithm],
      audience: tokenAudience,
      typ: tokenType,
      currentDate: new Date(atMs),
      clockTolerance: clockToleranceS,
      maxTokenAge: maxTokenLifetimeS,
      requiredClaims: ['sub', 'iat', 'exp', 'jti', 'act'],
    });
    return judgePayload(payload, key, message);
  } catch (error) {
    // Nothing here asks anybody: whatever is thrown, another try would throw it too.
    return refusalOf(error, atMs);
  }
}

/** Which key a token says to be signed with; undefined where it says nothing, or is no token. */
export function keyIdOf(token: string): string | undefined {
  try {
    const { kid } = decodeProtectedHeader(token) as { kid?: unknown };
    return typeof kid === 'string' && kid.length <= maxIdLength ? kid : undefined;
  } catch {
    return undefined;
  }
}

function judgePayload(payload: JWTPayload, key: SigningKey, message: VerifyInput['tokens'][number]['message']): VerifiedToken {
  // Whoever has a key may have signed anything: before all else, every claim is of its kind.
  const claims = claimsOf(payload);
  if (claims === undefined) return bad('it does not say what it is for, or not in the form of a token');
  if (claims.sub !== key.person) return bad(`it says that ${claims.sub} has signed, but the key is ${key.person}'s`);
  if (claims.exp - claims.iat > maxTokenLifetimeS) return bad('it is valid for more than 7 days');
  if (message !== undefined) {
    if (claims.act === 'vote') return bad('it was signed as a vote');
    if (claims.digest !== messageDigest(message)) return bad('it is the signature of something else');
  }
  return { ok: true, claims, key: key.id };
}

const texts = {
  vote: ['run', 'plan', 'gate'],
  adjust: ['run', 'plan', 'digest'],
  report: ['run', 'plan', 'digest'],
  start: ['definition', 'id', 'digest'],
} as const;

/** Nothing but what a token of its kind says; undefined where a claim is missing or is of another kind. */
function claimsOf(payload: JWTPayload): TokenClaims | undefined {
  const { sub, iat, exp, jti } = payload;
  const act = (['vote', 'adjust', 'report', 'start'] as const).find((known) => known === payload['act']);
  if (act === undefined || typeof sub !== 'string' || typeof jti !== 'string' || jti.length > maxIdLength) return undefined;
  if (!Number.isSafeInteger(iat) || !Number.isSafeInteger(exp)) return undefined;
  const named: [string, unknown][] = texts[act].map((name) => [name, payload[name]]);
  if (!named.every(([, value]) => typeof value === 'string')) return undefined;
  const common = { act, sub, aud: tokenAudience, iat, exp, jti, ...Object.fromEntries(named) };
  if (act !== 'vote') return common as TokenClaims;
  const { decision, generation, reason } = payload as { decision?: unknown; generation?: unknown; reason?: unknown };
  if (decision !== 'approve' && decision !== 'reject') return undefined;
  if (generation !== undefined && !(Number.isSafeInteger(generation) && (generation as number) >= 1)) return undefined;
  if (reason !== undefined && typeof reason !== 'string') return undefined;
  return { ...common, decision, ...(generation !== undefined && { generation }), ...(reason !== undefined && { reason }) } as TokenClaims;
}

function refusalOf(error: unknown, atMs: number): VerifiedToken {
  if (error instanceof errors.JWTExpired) {
    const since = `it was valid until ${timeOf(error.payload.exp)}, and it is ${new Date(atMs).toISOString()} now`;
    return { ok: false, code: 'expired_token', reason: `its token has expired: ${since}` };
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) return bad('the signature is forged, or something in it was changed');
  return bad(error instanceof Error ? error.message.slice(0, 200) : 'it cannot be read');
}

function timeOf(seconds: unknown): string {
  const time = new Date(Number(seconds) * 1000);
  return Number.isNaN(time.getTime()) ? 'a time that there is not' : time.toISOString();
}

function bad(why: string): VerifiedToken {
  return { ok: false, code: 'bad_token', reason: `its token does not count: ${why}` };
}
