import { randomUUID } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, SignJWT, type JWK } from 'jose';
import type { AdjustMessage } from '../core/contract/adjustments';
import { AppError } from '../core/contract/errors';
import type { DecideMessage, ReportMessage } from '../core/contract/messages';
import { personName } from '../core/contract/person-name';
import {
  defaultTokenLifetimeS,
  maxTokenLifetimeS,
  tokenAlgorithm,
  tokenAudience,
  tokenType,
  type MessageClaims,
  type StartClaims,
  type VoteClaims,
} from '../core/contract/signed-requests';
import type { StartInput } from '../core/contract/start-input';
import { messageDigest } from '../db/hash';

/** A private Ed25519 key (JSON Web Key, RFC 8037) and whose it is. Whoever has it can sign as this person. */
export interface SigningIdentity {
  person: string;
  /** RFC 7638 thumbprint of the public key. */
  id: string;
  privateKey: JWK;
}

/** The half that others may see, and that the registry holds. */
export function publicKeyOf({ privateKey: { kty, crv, x } }: SigningIdentity): Record<string, unknown> {
  return { kty, crv, x };
}

/** A new key. AppError `bad_usage` for a name that is empty. */
export async function createSigningIdentity(person: string): Promise<SigningIdentity> {
  const name = requireName(person);
  const { privateKey } = await generateKeyPair(tokenAlgorithm, { crv: 'Ed25519', extractable: true });
  const jwk = await exportJWK(privateKey);
  return { person: name, id: await calculateJwkThumbprint(jwk), privateKey: jwk };
}

/** The id of a public key. AppError `bad_usage` where it is none of Ed25519, or a private one. */
export async function identifyPublicKey(publicKey: unknown): Promise<{ id: string; publicKey: Record<string, unknown> }> {
  const { kty, crv, x, d } = (typeof publicKey === 'object' && publicKey !== null ? publicKey : {}) as JWK;
  if (d !== undefined) {
    throw new AppError('bad_usage', 'this is a private key: it stays with whom it belongs to', {
      hint: 'give only kty, crv and x; make a new key, since this one was shown',
    });
  }
  const isEd25519 = kty === 'OKP' && crv === 'Ed25519' && typeof x === 'string' && /^[\w-]{43}$/.test(x);
  if (!isEd25519) {
    throw new AppError('bad_usage', 'this is no public Ed25519 key', {
      hint: 'it looks like {"kty":"OKP","crv":"Ed25519","x":"…"}; vapora keys create prints one',
    });
  }
  return { id: await calculateJwkThumbprint({ kty, crv, x }), publicKey: { kty, crv, x } };
}

/** What a signature about a run names: its first execution, the plan it follows, and the generation of the gate as it is asked for now. */
export interface SignedRun {
  run: string;
  plan: string;
  generation?: number;
}

export interface SigningOptions {
  /** Seconds that the token is valid for, at most 7 days. Default: an hour. */
  lifetimeS?: number | undefined;
}

/** The token of a vote: it counts for this decision about this gate of this run only, and once. */
export async function signVote(
  identity: SigningIdentity,
  { run, plan, generation }: SignedRun,
  { gate, decision, reason }: Omit<DecideMessage, 'by' | 'token'>,
  options?: SigningOptions,
): Promise<string> {
  const claims: SpecificClaims<VoteClaims> = {
    act: 'vote',
    run,
    plan,
    gate,
    decision,
    ...(generation !== undefined && { generation }),
    ...(reason !== undefined && { reason }),
  };
  return sign(identity, claims, options);
}

/** The token of a change of a run: of exactly this message. */
export async function signAdjustment(
  identity: SigningIdentity,
  { run, plan }: SignedRun,
  message: Omit<AdjustMessage, 'token'>,
  options?: SigningOptions,
): Promise<string> {
  const claims: SpecificClaims<MessageClaims> = { act: 'adjust', run, plan, digest: messageDigest(message) };
  return sign(identity, claims, options);
}

/** The token of a report on a step: of exactly this message. */
export async function signReport(
  identity: SigningIdentity,
  { run, plan }: SignedRun,
  message: Omit<ReportMessage, 'token'>,
  options?: SigningOptions,
): Promise<string> {
  const claims: SpecificClaims<MessageClaims> = { act: 'report', run, plan, digest: messageDigest(message) };
  return sign(identity, claims, options);
}

/** The token of a start, with exactly this input under exactly this id. */
export async function signStart(
  identity: SigningIdentity,
  { definition, id, input }: { definition: string; id: string; input: Omit<StartInput, 'token'> },
  options?: SigningOptions,
): Promise<string> {
  const claims: SpecificClaims<StartClaims> = { act: 'start', definition, id, digest: messageDigest(input) };
  return sign(identity, claims, options);
}

type SpecificClaims<Claims> = Omit<Claims, 'sub' | 'aud' | 'iat' | 'exp' | 'jti'>;

async function sign(
  identity: SigningIdentity,
  claims: object,
  { lifetimeS = defaultTokenLifetimeS }: SigningOptions = {},
): Promise<string> {
  if (!(lifetimeS > 0 && lifetimeS <= maxTokenLifetimeS)) {
    throw new AppError('bad_usage', `a token cannot be valid for ${lifetimeS} s`, { hint: `give up to ${maxTokenLifetimeS} s (7 days)` });
  }
  const key = await importJWK(identity.privateKey, tokenAlgorithm);
  const issuedAt = Math.floor(Date.now() / 1000);
  return new SignJWT({ ...claims })
    .setProtectedHeader({ alg: tokenAlgorithm, typ: tokenType, kid: identity.id })
    .setSubject(identity.person)
    .setAudience(tokenAudience)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + Math.ceil(lifetimeS))
    .setJti(randomUUID())
    .sign(key);
}

function requireName(person: string): string {
  const name = personName(person);
  if (name !== '') return name;
  throw new AppError('bad_usage', 'a key needs the name of a person', { hint: 'give it with --by NAME' });
}
