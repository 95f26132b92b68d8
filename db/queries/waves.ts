import { executorFactsOf, type AgentSpec } from '../../core/contract/agents';
import type {
  AssignedAgent,
  AssignmentReply,
  AssignmentRequest,
  EffectRef,
  RecordOutput,
  RunChanges,
  WaveInput,
  WaveOutput,
} from '../../core/contract/local-activities';
import { type AgentFacts, assignTask } from '../../core/learning/assign-task';
import { findEligible } from '../../core/learning/eligibility';
import type { AssignmentExplanation } from '../../core/learning/explanation';
import type { Database } from '../connect';
import { jsonText } from '../json-text';
import { loadAgentSet } from './agents';
import { auditBodyOf, executionReopenedBody } from './audit-body';
import { leaseSeconds } from './lease-time';
import { addAudit, addChanges, applyChanges, auditedColumn, auditedIn, type AuditedRow, isEmpty } from './record';
import { recordItemByItem } from './recording';
import { insertRefusal, isRefusal, refusalReason } from './refusals';
import { reopensSql } from './reopening';
import { isoOf, Statement } from './statement';
import { type EarlierChoice, readWaveFacts, type WaveFacts } from './wave-facts';

/** deadlock_detected, serialization_failure, unique_violation: another call wrote the same at the same time. */
const contentionCodes = new Set(['40P01', '40001', '23505']);
const maxAttempts = 5;
/** How often a wave chooses again under the lock: only waves that come without one can take something from it. */
const maxLockedRounds = 8;

/**
 * Records what changed and chooses an agent for each request, with a lease, an intent and a line of the audit: one transaction, two
 * round trips whatever the size of the wave (one reads loads and history, one writes everything). No lock is held in between: a slot
 * of an agent is a row with a unique key, so of two waves that want the last one exactly one gets it. The other one chooses again,
 * now holding the candidates' rows. A request whose intent is recorded already gets the earlier choice. What the database refuses
 * for good is kept apart (see `recordChanges`); an assignment that it refuses is answered with the reason, and asked for again.
 */
export async function assignWave(db: Database, input: WaveInput): Promise<WaveOutput> {
  const wave: Wave = { input, replies: new Map(), changes: input.changes, recorded: {} };
  try {
    await tryWave(db, wave);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    await assignOneByOne(db, wave);
  }
  const replies = input.requests.map((request) => wave.replies.get(request)).filter((reply) => reply !== undefined);
  return { ...wave.recorded, replies: boundReplies(replies) };
}

async function assignOneByOne(db: Database, wave: Wave): Promise<void> {
  const { input, changes } = wave;
  if (changes !== undefined) {
    wave.recorded = await recordItemByItem(db, { run: input.run, atMs: input.atMs, changes });
    wave.changes = undefined;
  }
  for (const request of input.requests) {
    if (wave.replies.has(request)) continue;
    try {
      await tryWave(db, { ...wave, input: { ...input, requests: [request] } });
    } catch (error) {
      if (!isRefusal(error)) throw error;
      await insertRefusal(db, { run: input.run, atMs: input.atMs, kind: 'assignment', object: request.path, item: request, error });
      wave.recorded.refused = (wave.recorded.refused ?? 0) + 1;
      wave.replies.set(request, { ...refOf(request), kind: 'busy', reason: `the database refuses to record it: ${refusalReason(error)}` });
    }
  }
}

async function tryWave(db: Database, wave: Wave): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await runWave(db, wave);
      return;
    } catch (error) {
      if (db.isTransaction || attempt >= maxAttempts || !contentionCodes.has((error as { code?: string }).code ?? '')) throw error;
    }
  }
}

/** A reply stands in Temporal's history, where a marker holds at most 2 MB: recorded results beyond this wait for the next wave. */
const maxDoneLength = 600_000;

function boundReplies(replies: AssignmentReply[]): AssignmentReply[] {
  let length = 0;
  return replies.map((reply, n) => {
    if (reply.kind !== 'assigned' || reply.done === undefined) return reply;
    length += jsonText(reply.done).length;
    if (n === 0 || length <= maxDoneLength) return reply;
    return { ...refOf(reply), kind: 'busy', reason: 'what was recorded before the reset is read piece by piece' };
  });
}

type Replies = Map<AssignmentRequest, AssignmentReply>;

interface Wave {
  input: WaveInput;
  /** What is committed. */
  replies: Replies;
  recorded: RecordOutput;
  /** What is still to be written. */
  changes?: RunChanges | undefined;
}

async function runWave(db: Database, wave: Wave): Promise<void> {
  const { input, changes } = wave;
  if (input.requests.length === 0) {
    if (changes !== undefined) wave.recorded = await applyChanges(db, input.run, changes);
    return;
  }
  const agents = await loadAgentSet(db, input.agentSet);
  // Ends free slots that this very wave may want: then they must be written before it reads.
  if (changes === undefined || changes.ends.length === 0) {
    await assignOnce(db, wave, agents);
    wave.changes = undefined;
    if (wave.replies.size === input.requests.length) return;
  }
  const locked: Wave = { input, replies: new Map(wave.replies), recorded: wave.recorded };
  await inTransaction(db, async (trx) => {
    if (wave.changes !== undefined) locked.recorded = await applyChanges(trx, input.run, wave.changes);
    await assignLocked(trx, locked, agents);
  });
  wave.changes = undefined;
  wave.recorded = locked.recorded;
  for (const [request, reply] of locked.replies) wave.replies.set(request, reply);
}

async function assignLocked(trx: Database, wave: Wave, agents: readonly AgentSpec[]): Promise<void> {
  const { input, replies } = wave;
  const open = input.requests.filter((request) => !replies.has(request));
  const candidates = new Set(open.flatMap((request) => findEligible(agents, request).eligible.map(({ id }) => id)));
  // In id order, so that two waves never wait for each other in a circle.
  await trx
    .selectFrom('agents')
    .select('id')
    .where('id', 'in', [...candidates, ''])
    .orderBy('id')
    .forNoKeyUpdate()
    .execute();
  for (let round = 1; round <= maxLockedRounds; round += 1) {
    await assignOnce(trx, wave, agents);
    if (replies.size === input.requests.length) return;
  }
  for (const request of input.requests) {
    if (!replies.has(request))
      replies.set(request, { ...refOf(request), kind: 'busy', reason: `other runs took every free agent for role ${request.role}` });
  }
}

/** Chooses and writes. Requests whose slot somebody else took in between stay without a reply. */
async function assignOnce(db: Database, wave: Wave, agents: readonly AgentSpec[]): Promise<void> {
  const { input, replies } = wave;
  const open = input.requests.filter((request) => !replies.has(request));
  const facts = await readWaveFacts(db, { run: input.run, requests: open, agents, atMs: input.atMs });
  const intents: Intent[] = [];
  for (const request of open) {
    const earlier = facts.earlier.get(effectKey(request));
    const choice =
      earlier === undefined
        ? choose(request, agents, facts, input)
        : earlier.reopens
          ? chooseAgain(request, earlier, { agents, facts, input })
          : earlierReply(request, earlier, agents);
    if ('intent' in choice) intents.push(choice.intent);
    else replies.set(request, choice);
  }
  const won = await writeWave(db, wave, intents);
  for (const [n, intent] of intents.entries()) if (won.has(n)) replies.set(intent.request, intent.reply);
}

function inTransaction(db: Database, work: (trx: Database) => Promise<void>): Promise<void> {
  return db.isTransaction ? work(db) : db.transaction().execute(work);
}

interface Intent {
  request: AssignmentRequest;
  /** The row of the effect, where it is done again. */
  executionId?: number;
  agent: AgentSpec;
  slotNo: number;
  explanation: AssignmentExplanation;
  reply: AssignmentReply;
}

/** Chooses, and counts the choice into the facts so that the next request of the wave sees it. */
function choose(
  request: AssignmentRequest,
  agents: readonly AgentSpec[],
  facts: WaveFacts,
  { run, atMs }: WaveInput,
): AssignmentReply | { intent: Intent } {
  const choice = assignTask(request, agents, facts.agents, atMs);
  if (choice.kind !== 'assigned') return { ...refOf(request), ...choice };
  const { agent, explanation } = choice;
  const known = facts.agents.get(agent.id);
  const slots = facts.takenSlots.get(agent.id) ?? new Set<number>();
  const slotNo = freeSlot(slots, known?.capacity ?? agent.capacity, `${request.path} ${run.rootRunId}`);
  slots.add(slotNo);
  facts.takenSlots.set(agent.id, slots);
  facts.agents.set(agent.id, { ...known, running: (known?.running ?? 0) + 1, lastAssignedAtMs: atMs } satisfies AgentFacts);
  const reply: AssignmentReply = { ...refOf(request), kind: 'assigned', agent: assignedAgent(agent), why: explanation.why };
  return { intent: { request, agent, slotNo, explanation, reply } };
}

/** After a reset: the agent that was chosen before, as for another attempt; another one where it may not or cannot any more. */
function chooseAgain(
  request: AssignmentRequest,
  earlier: EarlierChoice,
  { agents, facts, input }: { agents: readonly AgentSpec[]; facts: WaveFacts; input: WaveInput },
): AssignmentReply | { intent: Intent } {
  const isStillThere = agents.some(({ id }) => id === earlier.agentId) && !request.exclude.includes(earlier.agentId);
  const choice = choose(isStillThere ? { ...request, agentId: earlier.agentId } : request, agents, facts, input);
  return 'intent' in choice ? { intent: { ...choice.intent, request, executionId: earlier.id } } : choice;
}

/** A free slot, a different one for each asker: waves that come at once would otherwise all want the first. */
function freeSlot(taken: ReadonlySet<number>, capacity: number, asker: string): number {
  let hash = 0;
  for (let at = 0; at < asker.length; at += 1) hash = (Math.imul(hash, 31) + asker.charCodeAt(at)) >>> 0;
  const first = hash % capacity;
  for (let n = 0; n < capacity; n += 1) {
    const slotNo = 1 + ((first + n) % capacity);
    if (!taken.has(slotNo)) return slotNo;
  }
  // Work that went on after its lease was lost may hold numbers beyond the capacity.
  return capacity + 1;
}

function earlierReply(request: AssignmentRequest, earlier: EarlierChoice, agents: readonly AgentSpec[]): AssignmentReply {
  const agent = agents.find(({ id }) => id === earlier.agentId);
  if (agent === undefined)
    return { ...refOf(request), kind: 'nobody', reason: `agent ${earlier.agentId}, chosen before, is not among this run's agents` };
  const { done, why } = earlier;
  return { ...refOf(request), kind: 'assigned', agent: assignedAgent(agent), why: why ?? 'chosen before', ...(done && { done }) };
}

function assignedAgent({ id, role, skills, executor, compensate }: AgentSpec): AssignedAgent {
  return {
    id,
    role,
    skills,
    ...executorFactsOf(executor),
    ...(compensate !== undefined && { compensate }),
  };
}

/** Writes changes, leases and intents; gives the positions of the intents that got their lease. */
async function writeWave(db: Database, wave: Wave, intents: readonly Intent[]): Promise<Set<number>> {
  const { input, changes } = wave;
  const applied = changes !== undefined && !isEmpty(changes) ? changes : undefined;
  if (intents.length === 0) {
    if (applied !== undefined) wave.recorded = await applyChanges(db, input.run, applied);
    return new Set();
  }
  const statement = new Statement();
  const added = applied === undefined ? undefined : addChanges(statement, input.run, applied);
  const root = statement.value(input.run.rootRunId, 'text');
  const runId = statement.value(input.run.runId, 'text');
  const at = statement.value(isoOf(input.atMs), 'timestamptz');
  const again = intents.some(({ executionId }) => executionId !== undefined);
  const rows = intents.map(({ request, executionId, agent, slotNo, explanation }, n) => ({
    n,
    execution_id: executionId,
    reopening: executionId === undefined ? undefined : executionReopenedBody({ run: input.run, effect: refOf(request), atMs: input.atMs }),
    agent_id: agent.id,
    slot_no: slotNo,
    ...refOf(request),
    step: request.step,
    role: request.role,
    task_type: request.taskType,
    explanation,
    body: assignedBody(request, agent, explanation, input.atMs),
  }));
  statement.with(
    'wanted',
    `select coalesce(w.execution_id, nextval('executions_id_seq')) as id, w.* from jsonb_to_recordset(${statement.value(jsonText(rows), 'jsonb')}) as w(n int,
       execution_id bigint, reopening text, agent_id text, slot_no int, path text, generation int, slot int, assignment int, mode text, step text, role text,
       task_type text, explanation jsonb, body text)`,
  );
  // In key order: two waves that want several of the same slots wait for each other instead of deadlocking.
  statement.with(
    'leases',
    `insert into agent_leases (agent_id, slot_no, execution_id, expires_at)
     select agent_id, slot_no, id, now() + interval '${leaseSeconds} s' from wanted order by agent_id, slot_no
     on conflict (agent_id, slot_no) do update set execution_id = excluded.execution_id, expires_at = excluded.expires_at
       where agent_leases.expires_at <= now()
     returning execution_id`,
  );
  statement.with(
    'intents',
    `insert into executions (id, root_run_id, path, generation, slot, assignment, mode, step, agent_id, role, task_type, state, assigned_at, explanation, run_id)
     select w.id, ${root}, w.path, w.generation, w.slot, w.assignment, w.mode, w.step, w.agent_id, w.role, w.task_type, 'intended', ${at}, w.explanation, ${runId}
     from wanted w join leases l on l.execution_id = w.id where w.execution_id is null
     returning id`,
  );
  const begun = again ? '(select id from intents union all select id from reopened)' : 'intents';
  const lines = [...(added?.lines ?? [])];
  if (again) lines.push(addReopenings(statement, { root, runId, at }));
  lines.push(`select 4 as part, w.n, w.body, null::uuid as key from wanted w join ${begun} i on i.id = w.id`);
  addAudit(statement, input.run, lines, applied?.auditAfter);
  const [row] = await statement.run<AuditedRow & { won: number[] | null }>(
    db,
    `wave-${added?.shape ?? 'none'}${again ? '-again' : ''}`,
    `select (select array_agg(w.n) from wanted w join ${begun} i on i.id = w.id) as won, ${auditedColumn}`,
  );
  wave.recorded = { ...wave.recorded, ...auditedIn(row) };
  return new Set(row?.won ?? []);
}

function assignedBody(request: AssignmentRequest, agent: AgentSpec, { why }: AssignmentExplanation, atMs: number): string {
  const { step, generation, slot, assignment, mode } = request;
  return auditBodyOf({
    atMs,
    actor: { kind: 'engine', id: 'vapora' },
    action: 'step.assigned',
    object: step,
    generation,
    reason: why,
    details: { agent: agent.id, slot, assignment, mode },
  });
}

/** Effects that ended without success before a reset are open again: their attempts stay, and count on. Gives the select of their lines. */
function addReopenings(statement: Statement, { root, runId, at }: { root: string; runId: string; at: string }): string {
  statement.with(
    'reopened',
    `update executions e set agent_id = w.agent_id, state = 'retrying', assigned_at = ${at}, started_at = null, explanation = w.explanation, run_id = ${runId},
       outcome = null, finished_at = null, duration_ms = null, cost_usd = null, tokens_in = null, tokens_out = null, metrics = null, result = null, failure = null
     from wanted w join leases l on l.execution_id = w.id
     where e.id = w.execution_id and ${reopensSql({ row: 'e', root, runId, owner: 'run_id' })}
     returning e.id, w.n, w.reopening`,
  );
  return 'select 3 as part, n, reopening as body, null::uuid as key from reopened';
}

function refOf({ path, generation, slot, assignment, mode }: EffectRef): EffectRef {
  return { path, generation, slot, assignment, mode };
}

/** Key of an effect within a run. */
export function effectKey({ path, generation, slot, assignment, mode }: EffectRef): string {
  return [mode, generation, slot, assignment, path].join(' ');
}
