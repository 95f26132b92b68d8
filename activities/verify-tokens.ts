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
    return refusalOf(error, atMs);
  }
}

/** Which key a token says to be signed with; undefined where it says nothing, or is no token. */
export function keyIdOf(token: string): string | undefined {
  try {
    return decodeProtectedHeader(token).kid;
  } catch {
    return undefined;
  }
}

function judgePayload(payload: JWTPayload, key: SigningKey, message: VerifyInput['tokens'][number]['message']): VerifiedToken {
  const { sub, iat = 0, exp = Infinity } = payload;
  if (sub !== key.person) return bad(`it says that ${sub} has signed, but the key is ${key.person}'s`);
  if (exp - iat > maxTokenLifetimeS) return bad('it is valid for more than 7 days');
  const claims = claimsOf(payload);
  if (claims === undefined) return bad('it does not say what it is for');
  if (message !== undefined) {
    if (claims.act === 'vote') return bad('it was signed as a vote');
    if (claims.digest !== messageDigest(message)) return bad('it is the signature of something else');
  }
  return { ok: true, claims, key: key.id };
}

const texts = {
  vote: ['run', 'plan', 'gate', 'decision'],
  adjust: ['run', 'plan', 'digest'],
  report: ['run', 'plan', 'digest'],
  start: ['definition', 'id', 'digest'],
} as const;

function claimsOf(payload: JWTPayload): TokenClaims | undefined {
  const { act } = payload;
  const kind = (['vote', 'adjust', 'report', 'start'] as const).find((known) => known === act);
  if (kind === undefined) return undefined;
  const isWhole = [...texts[kind], 'jti'].every((name) => typeof payload[name] === 'string');
  return isWhole ? (payload as unknown as TokenClaims) : undefined;
}

function refusalOf(error: unknown, atMs: number): VerifiedToken {
  if (error instanceof errors.JWTExpired) {
    const { exp } = error.payload;
    const since = exp === undefined ? 'it is too old' : `it was valid until ${new Date(exp * 1000).toISOString()}`;
    return { ok: false, code: 'expired_token', reason: `its token has expired: ${since}, and it is ${new Date(atMs).toISOString()} now` };
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) return bad('the signature is forged, or something in it was changed');
  // All that jose throws says what is wrong with the token.
  if (error instanceof errors.JOSEError) return bad(error.message);
  throw error;
}

function bad(why: string): VerifiedToken {
  return { ok: false, code: 'bad_token', reason: `its token does not count: ${why}` };
}
