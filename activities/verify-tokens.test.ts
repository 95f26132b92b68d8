import { SignJWT, importJWK, type JWTPayload } from 'jose';
import { createSigningIdentity, publicKeyOf, type SigningIdentity } from '../client/signing';
import type { SigningKey } from '../db/queries/signing-keys';
import { messageDigest } from '../db/hash';
import { keyIdOf, verifyToken } from './verify-tokens';

const atMs = Date.UTC(2026, 0, 5, 12);
const atS = atMs / 1000;
let ana: SigningIdentity;
let keys: Map<string, SigningKey>;

beforeAll(async () => {
  ana = await createSigningIdentity(' ana\u200b ');
  const registeredAt = new Date(0).toISOString();
  const key = {
    id: ana.id,
    person: 'ana',
    publicKey: publicKeyOf(ana),
    registeredAt,
    registeredBy: 'owner',
    revokedAt: null,
    revokedBy: null,
  };
  keys = new Map([[ana.id, key]]);
});

async function tokenOf(claims: JWTPayload): Promise<string> {
  const message = { kind: 'skip_step', step: 'docs' };
  const whole = {
    sub: 'ana',
    aud: 'vapora',
    iat: atS,
    exp: atS + 600,
    jti: 'j',
    act: 'adjust',
    run: 'r',
    plan: 'p',
    digest: messageDigest(message),
  };
  return new SignJWT({ ...whole, ...claims })
    .setProtectedHeader({ alg: 'EdDSA', typ: 'vapora-request+jwt', kid: ana.id })
    .sign(await importJWK(ana.privateKey, 'EdDSA'));
}

test('a key is its person’s in the one form of the name', () => {
  expect(ana.person).toBe('ana');
});

test.each<[string, number, boolean]>([
  ['59 s before it was issued, by another clock', -59, true],
  ['61 s before', -61, false],
  ['at its end', 600, true],
  ['within the difference of two clocks after it', 659, true],
  ['a minute later', 661, false],
])('valid %s: %s s', async (_, afterS, ok) => {
  expect(await verifyToken(keys, { token: await tokenOf({}) }, atMs + afterS * 1000)).toMatchObject({ ok });
});

test.each<[string, JWTPayload, boolean]>([
  ['exactly 7 days', { exp: atS + 7 * 86_400 }, true],
  ['a second more', { exp: atS + 7 * 86_400 + 1 }, false],
])('a token may be valid for %s', async (_, claims, ok) => {
  expect(await verifyToken(keys, { token: await tokenOf(claims) }, atMs)).toMatchObject({ ok });
});

test('the digest is of the whole message, whatever the order of its keys', async () => {
  const token = await tokenOf({});
  expect(await verifyToken(keys, { token, message: { step: 'docs', kind: 'skip_step' } }, atMs)).toMatchObject({ ok: true, key: ana.id });
  expect(await verifyToken(keys, { token, message: { step: 'docs', kind: 'skip_step', force: true } }, atMs)).toMatchObject({
    code: 'bad_token',
  });
});

test('a vote does not sign a message', async () => {
  const token = await tokenOf({ act: 'vote', gate: 'g', decision: 'approve' });
  expect(await verifyToken(keys, { token, message: { kind: 'skip_step', step: 'docs' } }, atMs)).toMatchObject({ code: 'bad_token' });
});

test.each<[string, JWTPayload & Record<string, unknown>]>([
  ['a name that is none', { sub: { toString: 1 } as never }],
  ['an end before all time', { exp: -1e300 }],
  ['an end that is no number', { exp: '9' as never }],
  ['an id of 201 characters', { jti: 'x'.repeat(201) }],
  ['a decision that is none', { act: 'vote', gate: 'g', decision: 'maybe' }],
  ['a generation that is none', { act: 'vote', gate: 'g', decision: 'approve', generation: { toString: 1 } }],
  ['a generation of nought', { act: 'vote', gate: 'g', decision: 'approve', generation: 0 }],
  ['a reason that is none', { act: 'vote', gate: 'g', decision: 'approve', reason: ['x'] }],
  ['a digest that is none', { digest: 7 }],
])('whoever has a key and signs %s is refused, and nothing is tried again', async (_, claims) => {
  expect(await verifyToken(keys, { token: await tokenOf(claims) }, atMs)).toMatchObject({ ok: false });
});

test('nothing goes further but what a token of its kind says', async () => {
  const token = await tokenOf({ act: 'vote', gate: 'g', decision: 'approve', digest: 'd', more: { x: 1 } });
  expect(await verifyToken(keys, { token }, atMs)).toMatchObject({
    claims: {
      act: 'vote',
      sub: 'ana',
      aud: 'vapora',
      iat: atS,
      exp: atS + 600,
      jti: 'j',
      run: 'r',
      plan: 'p',
      gate: 'g',
      decision: 'approve',
    },
  });
});

test.each([
  `${Buffer.from('{"alg":"EdDSA","kid":123}').toString('base64url')}.e30.AA`,
  '',
  '.',
  '..',
  'a.b.c',
  'eyJraWQiOjd9.e30.AA',
  '\u0000.\u0000.\u0000',
  `${'e30'.repeat(500)}.e30.AA`,
])('%p names no key', async (token) => {
  expect(typeof keyIdOf(token) === 'string' && keys.has(keyIdOf(token)!)).toBe(false);
  expect(await verifyToken(keys, { token }, atMs)).toMatchObject({ ok: false, code: 'bad_token' });
});
