import { randomUUID } from 'node:crypto';
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { importJWK, SignJWT, UnsecuredJWT, type JWTHeaderParameters } from 'jose';
import { verifyAudit } from '../../client/audit';
import { adjustRun, decideGate, getSignedRun } from '../../client/control-run';
import { waitForResult } from '../../client/run-outcome';
import { reportStep } from '../../client/report-step';
import { createSigningIdentity, publicKeyOf, signAdjustment, signReport, signStart, signVote } from '../../client/signing';
import type { SignedRun, SigningIdentity } from '../../client/signing';
import type { ReportMessage } from '../../core/contract/messages';
import { registerSigningKey, revokeSigningKey } from '../../client/signing-keys';
import { startRun } from '../../client/start-run';
import type { StartInput } from '../../core/contract/start-input';
import { cliOf } from '../support/cli-in-process';
import { listAuditOf, listIgnoredSignals, queryDatabase } from '../support/run-records';
import { startTestRun, startTestVapora, type StartedTestRun, type TestVapora } from '../support/vapora';
import { waitFor } from '../support/wait-for';

jest.setTimeout(120_000);

let vapora: TestVapora;
let ana: SigningIdentity;
let bo: SigningIdentity;
let ivo: SigningIdentity;
let folder: string;

beforeAll(async () => {
  vapora = await startTestVapora({ strict: true });
  folder = mkdtempSync(join(tmpdir(), 'vapora-keys-'));
  [ana, bo, ivo] = await Promise.all([registered('ana'), registered('bo'), registered('ivo')]);
});
afterAll(async () => {
  await vapora.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function registered(person: string): Promise<SigningIdentity> {
  const identity = await createSigningIdentity(person);
  await registerSigningKey(vapora.adminUrl, { person, publicKey: publicKeyOf(identity) });
  return identity;
}

/** Steps that end at once, and somebody who decides what is blocked. */
const agents = {
  source: `
agents:
  - { id: sim-1, role: "*", capacity: 100, executor: { kind: simulate, duration: 1ms } }
  - { id: dora, role: decision-maker, executor: { kind: human } }
`,
};

const asksTwo = `
Workflow: signed
Steps:
  work: { agent: developer, approval: { approvers: [ana, bo, ivo], quorum: 2 } }
`;

let starts = 0;

async function startSigned(source: string, { id, ...more }: StartInput & { id?: string } = {}): Promise<StartedTestRun> {
  const input: StartInput = { source, agents, initiator: 'ivo', ...more };
  const definition = /Workflow: (\S+)/.exec(source)?.[1] ?? '';
  starts += 1;
  const runId = id ?? `${definition}-signed-${starts}`;
  return startTestRun(vapora, source, { ...input, token: await signStart(ivo, { definition, id: runId, input }) }, runId);
}

/** What an update answers: its effect, or the code of its refusal. */
async function decide(run: StartedTestRun, message: object): Promise<string> {
  try {
    const reply = await run.handle.executeUpdate<{ effect: string }, [object]>('decide', { args: [message] });
    return reply.effect;
  } catch (error) {
    const { details, message: text } = (error as { cause?: { details?: { code: string }[]; message?: string } }).cause ?? {};
    return `${details?.[0]?.code}: ${text}`;
  }
}

const vote = { gate: 'work', decision: 'approve' } as const;

test('who has signed starts, and who has signed decides: the records say by which key', async () => {
  const run = await startSigned(asksTwo);
  await run.waitsAt('work');
  const facts = await getSignedRun(vapora.client, run.id, 'work');
  expect(facts).toEqual({ run: expect.any(String) as string, plan: expect.stringMatching(/^[0-9a-f]{64}$/) as string, generation: 1 });
  expect(await decide(run, { ...vote, by: 'ana', token: await signVote(ana, facts, vote) })).toBe('counted');
  await run.handle.signal('approve', { gate: 'work', by: 'bo', token: await signVote(bo, facts, vote) });
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'completed' });

  const votes = await queryDatabase(vapora, 'select voter, assurance from approval_votes order by voter');
  expect(votes).toEqual([
    { voter: 'ana', assurance: 'verified' },
    { voter: 'bo', assurance: 'verified' },
  ]);
  const [approved] = await listAuditOf(vapora, run.id, 'gate.approved');
  expect(approved?.event.actor).toEqual({ kind: 'person', id: 'bo', assurance: 'verified', key: bo.id });
  const [created] = await listAuditOf(vapora, run.id, 'run.created');
  expect(created?.event.actor).toEqual({ kind: 'person', id: 'ivo', assurance: 'verified' });
  expect(await verifyAudit(vapora.client, run.id)).toMatchObject({ ok: true });
});

describe('votes that do not count', () => {
  let run: StartedTestRun;
  let claims: Record<string, unknown>;
  const nowS = (): number => Math.floor(Date.now() / 1000);

  beforeAll(async () => {
    run = await startSigned(asksTwo);
    await run.waitsAt('work');
    const facts = await getSignedRun(vapora.client, run.id, 'work');
    claims = { act: 'vote', ...facts, ...vote, sub: 'ana', aud: 'vapora', iat: nowS(), exp: nowS() + 600 };
  });

  const typ = 'vapora-request+jwt';

  /** A token as nobody of ours makes it. */
  async function token(
    more: Record<string, unknown> = {},
    { by = ana, header = {} }: { by?: SigningIdentity; header?: Partial<JWTHeaderParameters> } = {},
  ): Promise<string> {
    const whole = { jti: randomUUID(), ...claims, ...more };
    const signer = new SignJWT(whole).setProtectedHeader({ alg: 'EdDSA', typ, kid: by.id, ...header });
    return signer.sign(await importJWK(by.privateKey, 'EdDSA'));
  }

  /** The same, with a body that was changed after it was signed. */
  async function changed(more: Record<string, unknown>): Promise<string> {
    const [header, body = '', signature] = (await token({ decision: 'reject' })).split('.');
    const claimed = JSON.parse(Buffer.from(body, 'base64url').toString()) as object;
    return [header, Buffer.from(JSON.stringify({ ...claimed, ...more })).toString('base64url'), signature].join('.');
  }

  const revoked = async (): Promise<string> => {
    const old = await registered('ana');
    await revokeSigningKey(vapora.adminUrl, old.id);
    return token({}, { by: old });
  };
  const hmac = async (): Promise<string> => {
    const secret = Buffer.from(JSON.stringify(publicKeyOf(ana)));
    return new SignJWT({ jti: randomUUID(), ...claims }).setProtectedHeader({ alg: 'HS256', typ, kid: ana.id }).sign(secret);
  };

  test.each<[string, () => Promise<string> | undefined | string, RegExp]>([
    ['unsigned', () => undefined, /^unsigned: this run takes signed requests only/],
    ['of no form', () => 'yes', /^bad_token: .*no signature in compact form/],
    ['junk of the right form', () => 'eyJhbGciOiJub25lIn0.e30.AAAA', /^bad_token: .*does not name its key/],
    ['without a signature', () => `${new UnsecuredJWT(claims).encode()}AA`, /^bad_token: .*does not name its key/],
    ['signed with a secret made of the public key', hmac, /^bad_token: .*"alg"/],
    [
      'of a key that nobody has registered',
      async () => token({}, { by: await createSigningIdentity('ana') }),
      /^bad_token: .*nobody has registered/,
    ],
    ['signed with a key of one’s own under the id of hers', () => token({}, { by: { ...bo, id: ana.id } }), /^bad_token: .*forged/],
    ['changed after it was signed', () => changed({ decision: 'approve' }), /^bad_token: .*forged/],
    ['of a revoked key', revoked, /^bad_token: the key|^bad_token: .*revoked/],
    ['in her name with his key', () => token({}, { by: bo }), /^bad_token: .*it says that ana has signed, but the key is bo's/],
    ['of him, cast in her name', () => token({ sub: 'bo' }, { by: bo }), /^bad_token: .*signed by bo, not by ana/],
    ['expired', () => token({ iat: nowS() - 7200, exp: nowS() - 3600 }), /^expired_token: its token has expired: it was valid until 20/],
    ['of the future', () => token({ iat: nowS() + 3600, exp: nowS() + 7200 }), /^bad_token: .*"iat"/],
    ['valid for a year', () => token({ exp: nowS() + 365 * 86_400 }), /^bad_token: .*more than 7 days/],
    ['for another audience', () => token({ aud: 'elsewhere' }), /^bad_token: .*"aud"/],
    ['a token of another kind', () => token({}, { header: { typ: 'JWT' } }), /^bad_token: .*"typ"/],
    ['for another run', () => token({ run: randomUUID() }), /^bad_token: .*another run/],
    ['for another plan', () => token({ plan: 'f'.repeat(64) }), /^bad_token: .*another plan/],
    ['for another gate', () => token({ gate: 'other' }), /^bad_token: .*the gate other/],
    ['the contrary', () => token({ decision: 'reject' }), /^bad_token: .*to reject/],
    ['for another generation', () => token({ generation: 2 }), /^bad_token: .*generation 2/],
    ['without an id', () => token({ jti: undefined }), /^bad_token: .*"jti"/],
    ['an id that is no text', () => token({ jti: 7 }), /^bad_token: /],
    ['for a change of the run', () => token({ act: 'adjust', digest: 'd' }), /^bad_token: .*a change of the run/],
  ])('%s', async (_, make, refusal) => {
    const made = await make();
    expect(await decide(run, { ...vote, by: 'ana', ...(made !== undefined && { token: made }) })).toMatch(refusal);
    expect(await run.gate('work')).toMatchObject({ state: 'open', votes: [] });
  });

  test('all of it is in the audit but what was refused before it was looked at, and the run goes on', async () => {
    const ignored = await listAuditOf(vapora, run.id, 'vote.ignored');
    // Unsigned and formless updates leave no event.
    expect(ignored).toHaveLength(22);
    expect(new Set(ignored.map(({ event }) => event.actor.assurance))).toEqual(new Set(['local']));
    await run.handle.signal('approve', { gate: 'work', by: 'ana' });
    await waitFor('the unsigned signal', async () => (await listAuditOf(vapora, run.id, 'vote.ignored')).length === 23);
    const facts = await getSignedRun(vapora.client, run.id, 'work');
    const own = { gate: 'work', decision: 'approve', by: 'ivo', token: await signVote(ivo, facts, vote) };
    expect(await decide(run, own)).toMatch(/^barred: ivo may not decide/);
    const approval = await signVote(ana, facts, vote);
    expect(await decide(run, { ...vote, by: 'ana', token: approval })).toBe('counted');
    expect(await decide(run, { ...vote, by: 'ana', token: approval })).toMatch(/^replayed_token/);
    expect(await decide(run, { ...vote, by: 'bo', token: await signVote(bo, facts, vote) })).toBe('counted');
    expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'completed' });
    expect(await verifyAudit(vapora.client, run.id)).toMatchObject({ ok: true });
  });
});

test('hundreds of forged votes around one genuine: few activities, one decision', async () => {
  const run = await startSigned('Workflow: flooded\nSteps:\n  work: { agent: developer, approval: { approvers: [ana] } }\n');
  await run.waitsAt('work');
  const facts = await getSignedRun(vapora.client, run.id, 'work');
  const genuine = await signVote(ana, facts, vote);
  const forged = `${genuine.slice(0, -6)}AAAAAA`;
  const flood = async (count: number): Promise<void> => {
    await Promise.all(Array.from({ length: count }, () => run.handle.signal('approve', { gate: 'work', by: 'ana', token: forged })));
  };
  await flood(200);
  await run.handle.signal('approve', { gate: 'work', by: 'ana', token: genuine });
  await flood(200).catch(() => undefined);
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'completed' });
  const { events } = await run.handle.fetchHistory();
  const verifications = (events ?? []).filter(
    (event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'vapora.verify',
  );
  expect(verifications.length).toBeLessThan(40);
  expect(await listAuditOf(vapora, run.id, 'gate.approved')).toHaveLength(1);
});

test('a token that has counted counts no more after the run went on in a further execution', async () => {
  const vapora2 = await startTestVapora({ strict: true, historyLimits: { events: 20, bytes: 1e9, signals: 1_000 } });
  try {
    for (const { person, ...identity } of [ana, bo, ivo]) {
      await registerSigningKey(vapora2.adminUrl, { person, publicKey: publicKeyOf({ person, ...identity }) });
    }
    const source = asksTwo.replace('signed', 'continued');
    const input: StartInput = { source, agents, initiator: 'ivo' };
    const token = await signStart(ivo, { definition: 'continued', id: 'continued-1', input });
    const run = await startTestRun(vapora2, source, { ...input, token }, 'continued-1');
    await run.waitsAt('work');
    const facts = await getSignedRun(vapora2.client, run.id, 'work');
    const approval = await signVote(ana, facts, vote);
    expect(await decide(run, { ...vote, by: 'ana', token: approval })).toBe('counted');
    await waitFor('the next execution', async () => (await listAuditOf(vapora2, run.id, 'run.continued')).length > 0);
    const after = await startTestHandle(vapora2, run.id);
    expect(await decide(after, { ...vote, by: 'ana', token: approval })).toMatch(/^replayed_token/);
    expect(await decide(after, { ...vote, by: 'bo', token: await signVote(bo, facts, vote) })).toBe('counted');
    expect(await waitForResult(vapora2.client, run.id)).toMatchObject({ status: 'completed' });
  } finally {
    await vapora2.stop();
  }
});

/** The newest execution of an id. */
async function startTestHandle({ client }: TestVapora, id: string): Promise<StartedTestRun> {
  return { id, handle: (await client.temporal()).workflow.getHandle(id) } as StartedTestRun;
}

test('a change of the run is signed, exactly as it is asked for', async () => {
  const run = await startSigned(
    'Workflow: changing\nSteps:\n  work: { agent: developer, approval: { approvers: [ana] } }\n  extra: { agent: tester, optional: true, depends_on: work }\n',
  );
  await run.waitsAt('work');
  const message = { kind: 'skip_optional_steps' as const, steps: ['extra'], by: 'ana', reason: 'not this time' };
  await expect(adjustRun(vapora.client, run.id, message)).rejects.toMatchObject({ code: 'refused', details: { code: 'unsigned' } });
  const facts = await getSignedRun(vapora.client, run.id);
  const token = await signAdjustment(ana, facts, message);
  await expect(adjustRun(vapora.client, run.id, { ...message, reason: 'another', token })).rejects.toMatchObject({
    details: { code: 'bad_token' },
    message: expect.stringContaining('the signature of something else') as string,
  });
  await run.handle.signal('adjust', { ...message, by: 'bo', token });
  await waitFor('the refusal', async () => (await listAuditOf(vapora, run.id, 'adjustment.refused')).length === 2);
  expect(await adjustRun(vapora.client, run.id, message, { sign: (about) => signAdjustment(ana, about, message) })).toMatchObject({
    steps: ['extra'],
  });
  const [adjusted] = await listAuditOf(vapora, run.id, 'run.adjusted');
  expect(adjusted?.event.actor).toEqual({ kind: 'person', id: 'ana', assurance: 'verified', key: ana.id });
  await decideGate(vapora.client, run.id, { ...vote, by: 'ana' }, { sign: (about) => signVote(ana, about, vote) });
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'completed', steps: { skipped: 1 } });
  expect(await listIgnoredSignals(vapora, run.id)).toEqual([]);
});

test('what a person has done is signed, as it is reported', async () => {
  // Machines come first: here there are none.
  const withAna = { source: `${agents.source.replace(/.*sim-1.*\n/, '')}  - { id: ana, role: reviewer, executor: { kind: human } }\n` };
  const run = await startSigned('Workflow: reported\nSteps:\n  review: { agent: reviewer, output: notes }\n', { agents: withAna });
  await waitFor('the task', async () => ((await run.status()).tasks ?? []).length > 0);
  const report = { step: 'review', by: 'ana', result: { status: 'success' as const, outputs: { notes: 'fine' } } };
  await expect(reportStep(vapora.client, run.id, report)).rejects.toMatchObject({ details: { code: 'unsigned' } });
  await run.handle.signal('report', report);
  await waitFor('the refusal', async () => (await listAuditOf(vapora, run.id, 'report.ignored')).length === 1);
  const sign = (by: SigningIdentity) => (about: SignedRun, message: ReportMessage) => signReport(by, about, message);
  await expect(reportStep(vapora.client, run.id, report, { sign: sign(bo) })).rejects.toMatchObject({ details: { code: 'bad_token' } });
  expect(await reportStep(vapora.client, run.id, report, { sign: sign(ana) })).toMatchObject({ effect: 'succeeded' });
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'completed' });
  const [reported] = await listAuditOf(vapora, run.id, 'task.reported');
  expect(reported?.event.actor).toEqual({ kind: 'person', id: 'ana', assurance: 'verified', key: ana.id });
});

describe('starts that do not count', () => {
  const source = 'Workflow: starting\nSteps:\n  work: { agent: developer }\n';
  const input: StartInput = { source, agents, initiator: 'ivo' };

  test.each<[string, (id: string) => Promise<StartInput>, RegExp]>([
    ['unsigned', async () => input, /this start is not signed: start it with 'vapora workflow run --strict'/],
    [
      'for another id',
      async () => ({ ...input, token: await signStart(ivo, { definition: 'starting', id: 'other', input }) }),
      /for the run other/,
    ],
    [
      'with another input',
      async (id) => ({ ...input, inputs: { x: 1 }, token: await signStart(ivo, { definition: 'starting', id, input }) }),
      /the signature of something else/,
    ],
    [
      'in the name of another',
      async (id) => {
        const other = { ...input, initiator: 'ana' };
        return { ...other, token: await signStart(ivo, { definition: 'starting', id, input: other }) };
      },
      /signed by ivo, not by ana/,
    ],
    [
      'with gates that answer themselves',
      async (id) => {
        const automatic = { ...input, autoApprove: true };
        return { ...automatic, token: await signStart(ivo, { definition: 'starting', id, input: automatic }) };
      },
      /cannot be answered automatically/,
    ],
    [
      'where nobody could decide',
      async (id) => {
        const lonely = { ...input, agents: { source: agents.source.replace(/.*dora.*\n/, '') } };
        return { ...lonely, token: await signStart(ivo, { definition: 'starting', id, input: lonely }) };
      },
      /nobody could decide about what is blocked: name approvers/,
    ],
    [
      'without recording',
      async (id) => {
        const unrecorded = { ...input, recording: 'none' as const };
        return { ...unrecorded, token: await signStart(ivo, { definition: 'starting', id, input: unrecorded }) };
      },
      /without recording nothing can be verified/,
    ],
  ])('%s', async (name, make, reason) => {
    const id = `starting-${name.replaceAll(' ', '-')}`;
    await startRun(vapora.client, { definition: 'starting', id, input: await make(id) });
    expect(await waitForResult(vapora.client, id)).toMatchObject({ status: 'failed', reason: expect.stringMatching(reason) as string });
  });

  test('a second time with one token', async () => {
    const id = 'starting-twice';
    const signed = { ...input, token: await signStart(ivo, { definition: 'starting', id, input }) };
    await startRun(vapora.client, { definition: 'starting', id, input: signed });
    expect(await waitForResult(vapora.client, id)).toMatchObject({ status: 'completed' });
    await startRun(vapora.client, { definition: 'starting', id, input: signed });
    expect(await waitForResult(vapora.client, id)).toMatchObject({
      status: 'failed',
      reason: expect.stringContaining('started another run already') as string,
    });
  });
});

test('the application reads keys and can neither add, change nor remove one', async () => {
  const asApplication = { adminUrl: vapora.databaseUrl };
  for (const statement of [
    `insert into signing_keys (kid, person, public_key) values ('k', 'eve', '{}')`,
    `update signing_keys set person = 'eve'`,
    `delete from signing_keys`,
    `delete from start_tokens`,
  ]) {
    await expect(queryDatabase(asApplication, statement)).rejects.toThrow(/permission denied/);
  }
  const identity = await createSigningIdentity('eve');
  await expect(registerSigningKey(vapora.databaseUrl, { person: 'eve', publicKey: publicKeyOf(identity) })).rejects.toMatchObject({
    code: 'refused',
    hint: expect.stringContaining('--migrate-url') as string,
  });
  await expect(registerSigningKey(vapora.adminUrl, { person: 'eve', publicKey: publicKeyOf(ana) })).rejects.toMatchObject({
    code: 'refused',
    message: expect.stringContaining("another person's") as string,
  });
  await expect(registerSigningKey(vapora.adminUrl, { person: 'eve', publicKey: identity.privateKey })).rejects.toMatchObject({
    code: 'bad_usage',
  });
});

test('from the command line: a key is made once, and what needs a signature is signed', async () => {
  const keys = join(folder, 'keys');
  const cli = cliOf(vapora, folder, { VAPORA_KEYS_DIR: keys, VAPORA_MIGRATE_URL: vapora.adminUrl });
  writeFileSync(join(folder, 'agents.yaml'), agents.source);
  writeFileSync(join(folder, 'typed.yaml'), 'Workflow: typed\nSteps:\n  work: { agent: developer, approval: { approvers: [luis] } }\n');

  const refused = await cli('workflow', 'run', 'typed.yaml', '--strict', '--initiator', 'mia', '--detach');
  expect(refused).toMatchObject({
    exitCode: expect.any(Number) as number,
    stderr: expect.stringMatching(/no key of mia.*\n.*vapora keys create --by mia/) as string,
  });
  for (const person of ['mia', 'luis']) {
    expect(await cli('keys', 'create', '--by', person)).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^registered: /) as string,
    });
  }
  const files = readdirSync(keys);
  expect(files.map((file) => (statSync(join(keys, file)).mode & 0o777).toString(8))).toEqual(['600', '600']);
  expect((await cli('keys', 'list')).stdout).toMatch(/PERSON +KEY.*\n(.*\n)*luis .*\nmia /);

  expect(await cli('workflow', 'run', 'typed.yaml', '--strict', '--initiator', 'mia', '--detach')).toMatchObject({ exitCode: 0 });
  await waitFor('the gate', async () => (await cli('gates', '--json')).stdout.includes('"typed"'));
  const approve = ['workflow', 'approve', '--id', 'typed', '--gate', 'work'];
  expect((await cli(...approve, '--by', 'nobody')).stderr).toMatch(/nobody is not an approver/);
  expect((await cli(...approve, '--by', 'luis', '--token', 'x.y.z')).stderr).toMatch(/token does not count/);

  const file = join(
    keys,
    files.find((name) => name.startsWith('luis'))!,
  );
  chmodSync(file, 0o644);
  expect((await cli(...approve, '--by', 'luis')).stderr).toMatch(/others can read .*: it proves nothing/);
  chmodSync(file, 0o600);
  expect((await cli(...approve, '--key', file, '--by', 'mia')).stderr).toMatch(/the key is luis's, not mia's/);
  expect(await cli(...approve, '--by', 'luis')).toMatchObject({ exitCode: 0, stdout: 'work is approved\n' });
  expect(await waitForResult(vapora.client, 'typed')).toMatchObject({ status: 'completed' });
  const [approved] = await listAuditOf(vapora, 'typed', 'gate.approved');
  expect(approved?.event.actor).toMatchObject({ id: 'luis', assurance: 'verified' });
});
