import { agentNamed, EngineDriver, type DriverOptions } from '../../test/support/engine-driver';
import { buildPlan, type PlanDraft } from '../../test/support/plan-builder';
import type { AdjustVerdict } from '../contract/adjustments';
import type { RunChanges } from '../contract/local-activities';
import type { TokenClaims, VerifiedToken, VoteClaims } from '../contract/signed-requests';
import { findUndecidableGates } from './approvers';
import type { EngineEvent, ReportVerdict, VoteVerdict } from './types';

/** A run that takes signed requests only. A token of these tests is its claims in base64url, between two dots. */
function strictRun(draft: PlanDraft, { engine, ...options }: DriverOptions = {}): EngineDriver {
  return new EngineDriver(buildPlan(draft), {
    verify: readToken,
    ...options,
    engine: { signatures: 'required', humans: [{ id: 'dora', role: 'decision-maker' }], ...engine },
  }).run();
}

function readToken(token: string): VerifiedToken {
  const [, claims = ''] = token.split('.');
  return { ok: true, key: 'key-1', claims: JSON.parse(Buffer.from(claims, 'base64url').toString()) as TokenClaims };
}

let tokens = 0;

function tokenOf(claims: Partial<VoteClaims> | Record<string, unknown>): string {
  tokens += 1;
  const common = { sub: 'ana', aud: 'vapora', iat: 0, exp: 1, jti: `jti-${tokens}`, act: 'vote', run: 'root', plan: 'sha256:test' };
  const vote = { gate: 'a', decision: 'approve' };
  return `x.${Buffer.from(JSON.stringify({ ...common, ...vote, ...claims })).toString('base64url')}.x`;
}

interface Cast {
  gate?: string;
  decision?: 'approve' | 'reject';
  by?: string;
  reason?: string;
  token?: string;
}

function cast(driver: EngineDriver, { gate = 'a', decision = 'approve', by = 'ana', reason, token }: Cast): VoteVerdict | undefined {
  let verdict: VoteVerdict | undefined;
  driver.send(
    voteOf(
      driver,
      { gate, decision, by, ...(reason !== undefined && { reason }), ...(token !== undefined && { token }) },
      (said) => (verdict = said),
    ),
  );
  return verdict;
}

function voteOf(
  driver: EngineDriver,
  { gate = 'a', decision = 'approve', by = 'ana', reason, token }: Cast,
  answer?: (verdict: VoteVerdict) => void,
): EngineEvent {
  const vote = {
    gate,
    by,
    decision,
    ...(reason !== undefined && { reason }),
    atMs: driver.nowMs,
    assurance: 'local',
    via: 'update',
  } as const;
  return { type: 'voted', vote, ...(token !== undefined && { token }), ...(answer !== undefined && { answer }) };
}

function lastAudit(driver: EngineDriver, action: string): RunChanges['audit'][number] | undefined {
  return driver.audit().findLast((entry) => entry.action === action);
}

const asksAna = { steps: { a: { approval: { approvers: ['ana', 'bo'] } } } };

test('a signed vote counts, as that of its signer, with its key', () => {
  const driver = strictRun(asksAna);
  expect(cast(driver, { token: tokenOf({}) })).toMatchObject({ ok: true, reply: { effect: 'counted', decided: true } });
  expect(driver.finished?.status).toBe('completed');
  expect(lastAudit(driver, 'gate.approved')?.actor).toEqual({ kind: 'person', id: 'ana', assurance: 'verified', key: 'key-1' });
  expect(driver.changes.flatMap(({ votes }) => votes)).toMatchObject([{ by: 'ana', assurance: 'verified', counted: true }]);
  expect(driver.engine.gateViews(driver.nowMs)[0]?.votes).toMatchObject([{ by: 'ana', assurance: 'verified' }]);
});

test.each<[string, Cast, string, string]>([
  ['not signed', {}, 'unsigned', 'signed requests only'],
  ['not a token at all', { token: 'ana' }, 'bad_token', 'no signature in compact form'],
  ['signed by somebody else', { token: tokenOf({ sub: 'bo' }) }, 'bad_token', 'signed by bo, not by ana'],
  ['signed for another run', { token: tokenOf({ run: 'other' }) }, 'bad_token', 'another run'],
  ['signed for another plan', { token: tokenOf({ plan: 'other' }) }, 'bad_token', 'another plan'],
  ['signed for another gate', { token: tokenOf({ gate: 'b' }) }, 'bad_token', 'the gate b'],
  ['signed as the contrary', { token: tokenOf({ decision: 'reject' }) }, 'bad_token', 'to reject'],
  ['signed with another reason', { reason: 'fine', token: tokenOf({ reason: 'bad' }) }, 'bad_token', 'another reason'],
  ['signed for another generation', { token: tokenOf({ generation: 2 }) }, 'bad_token', 'generation 2 of a, which is at 1 now'],
  ['signed for a start', { token: tokenOf({ act: 'start' }) }, 'bad_token', 'the start of a run'],
  ['signed as a change', { token: tokenOf({ act: 'adjust' }) }, 'bad_token', 'a change of the run'],
  ['by who may not decide', { by: 'eve', token: tokenOf({ sub: 'eve' }) }, 'not_approver', 'eve is not an approver'],
])('a vote that is %s changes nothing and is in the audit', (_, vote, code, reason) => {
  const driver = strictRun(asksAna);
  expect(cast(driver, vote)).toMatchObject({ ok: false, code, reason: expect.stringContaining(reason) as string });
  expect(lastAudit(driver, 'vote.ignored')).toMatchObject({ actor: { assurance: 'local' }, details: { code } });
  expect(driver.state.gates['a']).toMatchObject({ state: 'open', votes: [] });
  // The gate is as it was: a good vote still decides.
  cast(driver, { token: tokenOf({}) });
  expect(driver.finished?.status).toBe('completed');
});

test('what the verification refuses is refused with its reason', () => {
  const driver = strictRun(asksAna, { verify: () => ({ ok: false, code: 'expired_token', reason: 'its token has expired' }) });
  expect(cast(driver, { token: tokenOf({}) })).toEqual({ ok: false, code: 'expired_token', reason: 'its token has expired' });
  expect(driver.state.gates['a']?.state).toBe('open');
});

test('an answer that says nothing about a token verifies nothing', () => {
  const driver = strictRun(asksAna, { verify: () => 'never' });
  let verdict: VoteVerdict | undefined;
  driver.send(voteOf(driver, { token: tokenOf({}) }, (said) => (verdict = said)));
  expect(verdict).toBeUndefined();
  driver.send({ type: 'verified', atMs: driver.nowMs, verified: [] });
  expect(verdict).toMatchObject({ ok: false, code: 'bad_token' });
});

test('a token counts once: who has seen it cannot bring back a vote that was changed', () => {
  const driver = strictRun({ steps: { a: { approval: { approvers: ['ana', 'bo', 'cy'], quorum: 2 } } } });
  const approval = tokenOf({});
  cast(driver, { token: approval });
  cast(driver, { decision: 'reject', token: tokenOf({ decision: 'reject' }) });
  expect(cast(driver, { token: approval })).toMatchObject({ ok: false, code: 'replayed_token' });
  expect(driver.state.gates['a']?.votes).toMatchObject([{ by: 'ana', decision: 'reject' }]);
});

test('a token that two votes of one moment bring counts once', () => {
  const driver = strictRun({ steps: { a: { approval: { approvers: ['ana', 'bo'], quorum: 2 } } } });
  const token = tokenOf({});
  const verdicts: VoteVerdict[] = [];
  driver.send(
    voteOf(driver, { token }, (said) => verdicts.push(said)),
    voteOf(driver, { token }, (said) => verdicts.push(said)),
  );
  expect(verdicts.map((verdict) => (verdict.ok ? 'counted' : verdict.code)).sort()).toEqual(['counted', 'replayed_token']);
});

test('whoever started the run may not decide, also where the plan keeps nobody out', () => {
  const driver = strictRun(asksAna, { engine: { initiator: 'ana' } });
  expect(cast(driver, { token: tokenOf({}) })).toMatchObject({ ok: false, code: 'barred' });
  expect(cast(driver, { by: 'bo', token: tokenOf({ sub: 'bo' }) })).toMatchObject({ ok: true });
});

test('an early vote is verified when it comes and counts when its gate opens', () => {
  const driver = strictRun(
    { steps: { a: {}, b: { after: ['a'], approval: { approvers: ['ana'] } }, w: { approval: { approvers: ['bo'] } } } },
    {
      behave: ({ step }) => ({ durationMs: step === 'a' ? 60_000 : 1_000 }),
    },
  );
  // Past the run's first horizon everything but w has ended; so the vote is cast before.
  expect(driver.stateOf('b')).toBe('waiting_approval');
  expect(cast(driver, { gate: 'b', token: tokenOf({ gate: 'b', generation: 1 }) })).toMatchObject({ ok: true });
});

test('many signatures are verified together, one batch at a time, in the order in which they came', () => {
  const batches: number[] = [];
  const driver = strictRun(asksAna);
  const junk = Array.from({ length: 250 }, () => voteOf(driver, { token: tokenOf({ run: 'other' }) }));
  driver.send(...junk, voteOf(driver, { token: tokenOf({}) }));
  for (const decision of driver.decisions) if (decision.type === 'verify') batches.push(decision.tokens.length);
  expect(batches).toEqual([100, 100, 51]);
  expect(driver.finished?.status).toBe('completed');
  expect(driver.audit().filter(({ action }) => action === 'vote.ignored')).toHaveLength(250);
});

test('a batch is measured in bytes, whatever the letters', () => {
  const driver = strictRun(asksAna);
  const letters = '世'.repeat(200_000);
  const changes = Array.from({ length: 3 }, (_, n): EngineEvent => ({
    type: 'adjusted',
    atMs: driver.nowMs,
    request: { adjustment: { kind: 'add_agent', role: 'developer', count: 1 }, by: { kind: 'person', id: `p${n}` }, via: 'signal' },
    token: tokenOf({ run: 'other' }),
    message: { letters },
  }));
  driver.send(...changes);
  const sizes = driver.decisions.flatMap((decision) =>
    decision.type === 'verify' ? [Buffer.byteLength(JSON.stringify(decision.tokens))] : [],
  );
  expect(sizes).toHaveLength(3);
  expect(Math.max(...sizes)).toBeLessThan(1_000_000);
});

test('a run does not continue elsewhere, and does not forget, while a signature is being verified', () => {
  const driver = strictRun(asksAna, { verify: () => 'never' });
  expect(driver.engine.isQuiet()).toBe(true);
  let verdict: VoteVerdict | undefined;
  driver.send(voteOf(driver, { token: tokenOf({}) }, (said) => (verdict = said)));
  expect(driver.engine.isQuiet()).toBe(false);
  driver.cancel();
  expect(driver.finished?.status).toBe('cancelled');
  expect(verdict).toMatchObject({ ok: false, code: 'run_ended' });
});

describe('changes of the run', () => {
  function adjust(driver: EngineDriver, token: string | undefined, by = 'dora'): AdjustVerdict | undefined {
    let verdict: AdjustVerdict | undefined;
    const request = {
      adjustment: { kind: 'override_gate', gate: 'a' },
      by: { kind: 'person', id: by },
      reason: 'we take the risk',
      via: 'update',
    } as const;
    driver.send({
      type: 'adjusted',
      atMs: driver.nowMs,
      request,
      ...(token !== undefined && { token, message: { kind: 'override_gate' } }),
      answer: (said) => (verdict = said),
    });
    return verdict;
  }
  const blocked = { steps: { a: { onFailure: 'block' as const } } };
  const fails: DriverOptions = { behave: () => ({ failure: { kind: 'failed' } }) };

  test('an override needs a signature as the vote does that it is', () => {
    const driver = strictRun(blocked, fails);
    expect(driver.stateOf('a')).toBe('blocked');
    expect(adjust(driver, undefined)).toMatchObject({ ok: false, code: 'unsigned' });
    expect(adjust(driver, tokenOf({ sub: 'dora' }))).toMatchObject({
      ok: false,
      code: 'bad_token',
      reason: expect.stringContaining('as a vote') as string,
    });
    expect(driver.stateOf('a')).toBe('blocked');
    expect(adjust(driver, tokenOf({ sub: 'dora', act: 'adjust', digest: 'd' }))).toMatchObject({ ok: true });
    expect(driver.finished?.status).toBe('completed');
    expect(lastAudit(driver, 'run.adjusted')?.actor).toEqual({ kind: 'person', id: 'dora', assurance: 'verified', key: 'key-1' });
    expect(lastAudit(driver, 'gate.overridden')?.actor).toMatchObject({ assurance: 'verified', key: 'key-1' });
  });

  test('who gives no name is who has signed', () => {
    const driver = strictRun(blocked, fails);
    expect(adjust(driver, tokenOf({ sub: 'dora', act: 'adjust', digest: 'd' }), 'unknown')).toMatchObject({ ok: true });
    expect(lastAudit(driver, 'run.adjusted')?.actor.id).toBe('dora');
  });

  test('to hold and to end it needs none, as Temporal does not ask for one', () => {
    const driver = strictRun(asksAna);
    expect(driver.adjust({ kind: 'pause' }, { reason: 'look' })).toMatchObject({ ok: true });
    expect(driver.adjust({ kind: 'resume' })).toMatchObject({ ok: true });
    expect(driver.adjust({ kind: 'cancel' }, { reason: 'enough' })).toMatchObject({ ok: true });
  });
});

describe('what people report', () => {
  function taskRun(): EngineDriver {
    const plan = buildPlan({ steps: { a: {}, keep: { approval: { approvers: ['bo'] } } } });
    return new EngineDriver(plan, {
      verify: readToken,
      engine: { signatures: 'required', humans: [{ id: 'dora', role: 'decision-maker' }] },
      assign: ({ step }) => ({ kind: 'assigned', agent: agentNamed('ana', { executor: step === 'a' ? 'human' : 'simulate' }) }),
    }).run();
  }

  function report(driver: EngineDriver, token: string | undefined, result: { status: 'success' } | undefined): ReportVerdict | undefined {
    let verdict: ReportVerdict | undefined;
    driver.send({
      type: 'reported',
      atMs: driver.nowMs,
      report: { step: 'a', by: 'ana', message: 'half of it', ...(result !== undefined && { result }) },
      ...(token !== undefined && { token, message: { step: 'a' } }),
      answer: (said) => (verdict = said),
    });
    return verdict;
  }
  const done = { status: 'success' } as const;

  test('a result is signed as the report that it is; how far somebody is need not be', () => {
    const driver = taskRun();
    expect(report(driver, undefined, undefined)).toMatchObject({ ok: true, reply: { effect: 'noted' } });
    expect(report(driver, undefined, done)).toMatchObject({ ok: false, code: 'unsigned' });
    expect(report(driver, tokenOf({ act: 'adjust', digest: 'd' }), done)).toMatchObject({ ok: false, code: 'bad_token' });
    expect(report(driver, tokenOf({ act: 'report', sub: 'bo', digest: 'd' }), done)).toMatchObject({ ok: false, code: 'bad_token' });
    expect(driver.stateOf('a')).toBe('running');
    expect(lastAudit(driver, 'report.ignored')).toMatchObject({ details: { code: 'bad_token' } });
    expect(report(driver, tokenOf({ act: 'report', digest: 'd' }), done)).toMatchObject({ ok: true, reply: { effect: 'succeeded' } });
    expect(driver.stateOf('a')).toBe('passed');
    expect(lastAudit(driver, 'task.reported')?.actor).toEqual({ kind: 'person', id: 'ana', assurance: 'verified', key: 'key-1' });
  });
});

describe('a run that takes names as given', () => {
  test('counts what is not signed', () => {
    const driver = strictRun(asksAna, { engine: { signatures: 'accepted' } });
    expect(cast(driver, {})).toMatchObject({ ok: true });
  });

  test('verifies what is signed', () => {
    const driver = strictRun(asksAna, { engine: { signatures: 'accepted' } });
    expect(cast(driver, { token: tokenOf({ run: 'other' }) })).toMatchObject({ ok: false, code: 'bad_token' });
    expect(cast(driver, { token: tokenOf({}) })).toMatchObject({ ok: true });
    expect(lastAudit(driver, 'vote.cast')?.actor).toMatchObject({ assurance: 'verified' });
  });

  test('and one from before there were signatures reads no token', () => {
    const { signatures: _, ...older } = { signatures: 'required' as const, humans: [] };
    const driver = new EngineDriver(buildPlan(asksAna), { engine: older }).run();
    expect(cast(driver, { token: 'anything' })).toMatchObject({ ok: true });
    expect(driver.decisions.some(({ type }) => type === 'verify')).toBe(false);
  });
});

describe('what nobody could decide', () => {
  const people = [
    { id: 'dora', role: 'decision-maker' },
    { id: 'rex', role: 'reviewer' },
  ];

  test.each<[string, PlanDraft, typeof people, string, string[]]>([
    ['everybody is named', { steps: { a: { approval: { approvers: ['ana'] } }, b: {} } }, people, 'ivo', []],
    [
      'nobody is there',
      { steps: { a: { approval: true } } },
      [],
      'ivo',
      ['nobody could decide about a', 'nobody could decide about what is blocked'],
    ],
    [
      'a manual start',
      { steps: { a: { automatic: false } } },
      [],
      'ivo',
      ['nobody could decide about the start of a', 'nobody could decide about what is blocked'],
    ],
    [
      'only who has started it',
      { steps: { a: { approval: { approvers: ['ana'] } } } },
      people,
      'ana',
      ['nobody could decide about a, since ana has started the run'],
    ],
    [
      'too few without who has started it',
      { steps: { a: { approval: { approvers: ['ana', 'bo'], quorum: 2 } } } },
      people,
      'bo',
      ['1 of 2 could decide about a, since bo has started the run'],
    ],
    [
      'the plan keeps out only the author',
      { steps: { a: { approval: { approvers: ['ana'], distinctFrom: ['author'] } } } },
      people,
      'ana',
      [],
    ],
    [
      'the only decision-maker has started it',
      { steps: { a: {} } },
      people,
      'dora',
      ['nobody could decide about what is blocked, since dora has started the run'],
    ],
  ])('%s', (_, draft, humans, initiator, problems) => {
    expect(findUndecidableGates(buildPlan(draft), humans, initiator)).toEqual(problems);
  });
});
