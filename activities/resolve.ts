import { ApplicationFailure } from '@temporalio/common';
import { placeAgent } from '../core/contract/agents';
import type { AgentSpec } from '../core/contract/agents';
import type { LoadPlanInput, ResolveInput, ResolveOutput } from '../core/contract/local-activities';
import { engineVersion } from '../core/contract/engine-version';
import { personName, unknownPerson } from '../core/contract/person-name';
import type { Signatures } from '../core/contract/signed-requests';
import type { StartInput } from '../core/contract/start-input';
import { compileAgents } from '../core/dsl/agents';
import { compileWorkflow } from '../core/dsl/compile';
import { renderDiagnostics } from '../core/dsl/render';
import { findUndecidableGates } from '../core/engine';
import { jsonBytes } from '../core/contract/text-size';
import { canonicalPlanText } from '../core/plan/canonical';
import type { Diagnostic } from '../core/plan/diagnostic';
import type { Plan } from '../core/plan/types';
import type { Database } from '../db/connect';
import { sha256Hex } from '../db/hash';
import { insertAgentSet, listAgents, upsertAgents } from '../db/queries/agents';
import { findDefinition, findPlanText, insertPlan } from '../db/queries/definitions';
import { estimateDurations } from '../db/queries/history';
import { insertRun } from '../db/queries/runs';
import { bindInputs } from './bind-inputs';
import { verifyStart } from './signed-start';
import { maxInlineLength, plainPieceOf, type TextPieces } from './text-pieces';

const cachedSources = 50;
/** So many agents are known to the run itself by their ids. */
const maxNamedAgents = 1_000;
/** A marker of the history ends at 2 MiB, and holds the first piece of the plan too. */
const maxInputsBytes = 1_000_000;

interface Compiled {
  plan: Plan;
  planText: string;
  planHash: string;
}

/**
 * Turns the start input into what the run then follows, frozen: plan, agents with their specs, inputs. A definition that does
 * not compile fails the run for good, with the diagnostics that `vapora validate` prints.
 */
export function createResolveActivities(db: Database | null, pieces: TextPieces, { strict }: { strict: boolean }) {
  const compiledBySource = new Map<string, Compiled>();
  const agentsBySource = new Map<string, AgentSpec[]>();

  async function resolve({ run, definition, input, atMs }: ResolveInput): Promise<ResolveOutput> {
    const recorded = input.recording !== 'none';
    if (recorded && !db) throw fatal('NoDatabase', 'this worker has no database: start it with DATABASE_URL, or run with recording "none"');
    const { plan, planText, planHash, version } = await choosePlan(definition, input);
    if (plan.id !== definition) {
      throw fatal('InvalidStartInput', `the source defines "${plan.id}", but the workflow type is "${definition}": they must be the same`);
    }
    const bound = bindInputs(plan, input.inputs ?? {});
    if (!bound.ok) throw fatal('InvalidStartInput', bound.problems.join('; '));
    // They stand in the run's history, written anew: a number may then be five times as long as it was sent.
    if (jsonBytes(bound.values) > maxInputsBytes) {
      throw fatal('InvalidStartInput', `the inputs are longer than ${maxInputsBytes} bytes: give what is large as a file that agents read`);
    }
    const agents = await chooseAgents(input);
    const { initiator, isSigned, signatures } = await identify({ run, definition, input, atMs });
    if (signatures === 'required') refuseUndecidable(plan, agents, initiator);
    const timeScale = input.timeScale ?? 1;
    const seed = input.seed ?? run.rootRunId;
    const historyEstimatesMs: Record<string, number> = {};
    let agentSet = '';
    if (recorded && db) {
      agentSet = await insertAgentSet(db, agents);
      await insertPlan(db, { planHash, planText });
      await insertRun(db, {
        run,
        definition,
        version,
        planHash,
        agentSet,
        initiator,
        inputs: bound.values,
        timeScale,
        seed,
        startedAtMs: atMs,
        isSigned,
        strict: signatures === 'required',
      });
      Object.assign(historyEstimatesMs, await estimateDurations(db, plan.steps, agents));
    }
    return {
      planHash,
      version,
      ...(planText.length <= maxInlineLength
        ? { planText, planPieces: 1 }
        : { planText: '', planPieces: pieces.count(planHash, planText), planCompressed: true }),
      agentSet,
      ...(agents.length <= maxNamedAgents && { agentIds: agents.map(({ id }) => id) }),
      humans: humansOf(agents),
      inputs: bound.values,
      initiator,
      timeScale,
      seed,
      historyEstimatesMs,
      engineVersion,
      ...(recorded && { signatures }),
      ...(isSigned && { initiatorAssurance: 'verified' }),
      ...(!recorded && { agents }),
    };
  }

  /** Who starts the run, and whether what is asked of it has to be signed. */
  async function identify({ run, definition, input, atMs }: Pick<ResolveInput, 'run' | 'definition' | 'input' | 'atMs'>) {
    const signatures: Signatures = strict || input.strict === true ? 'required' : 'accepted';
    const isRecorded = input.recording !== 'none';
    if (signatures === 'required') refuseUnsigned(input);
    // As votes are read: whoever started a run must not get past `distinct_from` by a blank.
    const named = personName(input.initiator ?? '') || unknownPerson;
    if (input.token === undefined || !db || !isRecorded) return { initiator: named, isSigned: false, signatures };
    const start = await verifyStart(db, { definition, workflowId: run.workflowId, rootRunId: run.rootRunId, input, atMs });
    if (!start.ok) throw fatal('InvalidSignature', `the start is refused: ${start.reason}`);
    return { initiator: start.initiator, isSigned: true, signatures };
  }

  async function choosePlan(definition: string, input: StartInput): Promise<Compiled & { version: number | null }> {
    if (input.source !== undefined) return { ...compileSource(input.source, input.format ?? 'yaml'), version: null };
    if (!db) throw fatal('NoDatabase', 'without a database a run needs its source in the start input');
    if (input.planHash !== undefined) {
      const planText = await findPlanText(db, input.planHash);
      if (planText === null) throw fatal('NotFound', `there is no plan ${input.planHash}: run with a source, or publish the definition`);
      return { plan: JSON.parse(planText) as Plan, planText, planHash: input.planHash, version: null };
    }
    const found = await findDefinition(db, definition, input.version);
    if (!found) {
      const which = input.version === undefined ? `definition "${definition}"` : `version ${input.version} of "${definition}"`;
      throw fatal('NotFound', `there is no published ${which}: publish it with 'vapora publish FILE'`);
    }
    const planText = await findPlanText(db, found.planHash);
    if (planText === null) throw fatal('NotFound', `the plan ${found.planHash} of "${definition}" is missing in the database`);
    return { plan: JSON.parse(planText) as Plan, planText, planHash: found.planHash, version: found.version };
  }

  /** A hundred runs of one file compile it once. */
  function compileSource(source: string, format: 'yaml' | 'toml'): Compiled {
    const key = sha256Hex(`${format}\n${source}`);
    const cached = compiledBySource.get(key);
    if (cached) return cached;
    const { plan, diagnostics } = compileWorkflow(source, { format });
    if (!plan) throw invalid('InvalidWorkflow', 'the workflow file has errors', source, `workflow.${format}`, diagnostics);
    const planText = canonicalPlanText(plan);
    const compiled = { plan, planText, planHash: sha256Hex(planText) };
    if (compiledBySource.size >= cachedSources) compiledBySource.clear();
    compiledBySource.set(key, compiled);
    return compiled;
  }

  function compileAgentsOnce(source: string, format: 'yaml' | 'toml'): AgentSpec[] {
    const key = sha256Hex(`${format}\n${source}`);
    const cached = agentsBySource.get(key);
    if (cached) return cached;
    const { agents, diagnostics } = compileAgents(source, { format });
    if (!agents) throw invalid('InvalidAgents', 'the agents file has errors', source, `agents.${format}`, diagnostics);
    if (agentsBySource.size >= cachedSources) agentsBySource.clear();
    agentsBySource.set(key, agents);
    return agents;
  }

  /** A run with a file is limited to that file's agents; one without may use all that are registered. */
  async function chooseAgents({ agents, recording }: StartInput): Promise<AgentSpec[]> {
    if (agents !== undefined && !Array.isArray(agents)) {
      const { folder } = agents;
      const compiled = compileAgentsOnce(agents.source, agents.format ?? 'yaml');
      const specs = folder === undefined ? compiled : compiled.map((agent) => placeAgent(agent, folder));
      if (db && recording !== 'none') await upsertAgents(db, specs);
      return specs;
    }
    const registered = db ? await listAgents(db, agents === undefined ? {} : { ids: agents }) : [];
    const missing = (agents ?? []).filter((id) => !registered.some((agent) => agent.id === id));
    if (missing.length > 0) throw fatal('InvalidAgents', `there is no agent ${missing.join(', ')} in the registry`);
    if (registered.length === 0) {
      throw fatal('InvalidAgents', `no agents are registered: put an agents.yaml beside the workflow, or pass --agents FILE`);
    }
    return registered;
  }

  async function loadPlan({ planHash, piece, compressed = false }: LoadPlanInput): Promise<string | Uint8Array> {
    const planText = db ? await findPlanText(db, planHash) : null;
    if (planText === null) throw fatal('NotFound', `the plan ${planHash} is missing in the database`);
    return compressed ? pieces.piece(planHash, planText, piece) : plainPieceOf(planText, piece);
  }

  return { resolve, loadPlan };
}

function refuseUnsigned({ token, autoApprove, recording }: StartInput): void {
  const why =
    recording === 'none'
      ? 'and without recording nothing can be verified'
      : autoApprove === true
        ? 'so its gates cannot be answered automatically'
        : token === undefined
          ? "and this start is not signed: start it with 'vapora workflow run --strict'"
          : undefined;
  if (why !== undefined) throw fatal('InvalidSignature', `the run would take signed requests only, ${why}`);
}

/** Where names are taken as given, a gate without approvers is anybody's; where they are proved, it would be nobody's decision. */
function refuseUndecidable(plan: Plan, agents: readonly AgentSpec[], initiator: string): void {
  const problems = findUndecidableGates(plan, humansOf(agents), initiator);
  if (problems.length === 0) return;
  const shown = `${problems.slice(0, 5).join('; ')}${problems.length > 5 ? `; and ${problems.length - 5} more` : ''}`;
  const remedy = "name approvers in the workflow, or give the agents file a human agent of the role 'decision-maker'";
  throw fatal('InvalidWorkflow', `the run would take signed requests only, but ${shown}: ${remedy}`);
}

function humansOf(agents: readonly AgentSpec[]): { id: string; role: string }[] {
  return agents.filter(({ executor }) => executor.kind === 'human').map(({ id, role }) => ({ id, role }));
}

function fatal(type: string, message: string, details?: unknown): ApplicationFailure {
  return ApplicationFailure.create({ type, message, nonRetryable: true, ...(details !== undefined && { details: [details] }) });
}

function invalid(type: string, what: string, text: string, fileName: string, diagnostics: Diagnostic[]): ApplicationFailure {
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  const rendered = renderDiagnostics(errors, { fileName, text, color: false });
  return fatal(type, `${what}:\n${rendered.slice(0, 8_000)}`, { diagnostics: errors.slice(0, 100) });
}
