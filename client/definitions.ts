import type { AgentSpec } from '../core/contract/agents';
import { AppError } from '../core/contract/errors';
import { compileWorkflow } from '../core/dsl/compile';
import { canonicalPlanText } from '../core/plan/canonical';
import type { Diagnostic } from '../core/plan/diagnostic';
import type { Plan } from '../core/plan/types';
import { sha256Hex } from '../db/hash';
import { upsertAgents } from '../db/queries/agents';
import * as queries from '../db/queries/definitions';
import { callDatabase } from './call-database';
import type { VaporaClient } from './connect';

export type { Definition, DefinitionSummary } from '../db/queries/definitions';

/** A source that compiled. */
export interface CompiledDefinition {
  plan: Plan;
  /** RFC 8785 text of the plan. */
  planText: string;
  /** Its sha256: the plan's identity. */
  planHash: string;
  diagnostics: Diagnostic[];
}

export interface DefinitionSource {
  text: string;
  format: 'yaml' | 'toml';
}

/** Compiles a workflow's text. AppError `invalid_workflow` whose `details.diagnostics` say what is wrong. */
export function compileDefinition({ text, format }: DefinitionSource): CompiledDefinition {
  const { plan, diagnostics } = compileWorkflow(text, { format });
  if (plan) {
    const planText = canonicalPlanText(plan);
    return { plan, planText, planHash: sha256Hex(planText), diagnostics };
  }
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  const first = errors[0];
  const where = first === undefined ? '' : ` (line ${first.range.line}: ${first.message})`;
  throw new AppError('invalid_workflow', `the workflow has ${errors.length} ${errors.length === 1 ? 'error' : 'errors'}${where}`, {
    hint: "'vapora validate FILE' shows each with its place",
    details: { diagnostics },
  });
}

export interface PublishedDefinition {
  id: string;
  version: number;
  planHash: string;
  /** False when this very plan was published before: the same plan is the same version. */
  isNew: boolean;
}

/**
 * Publishes a workflow under its id, so that it can be started by name, and registers the agents that come with it.
 * AppError `invalid_workflow`, `unavailable`.
 */
export async function publishDefinition(
  client: VaporaClient,
  source: DefinitionSource & { agents?: readonly AgentSpec[] | undefined },
): Promise<PublishedDefinition> {
  const { plan, planText, planHash } = compileDefinition(source);
  const { agents } = source;
  if (agents !== undefined) await callDatabase(client, (db) => upsertAgents(db, agents));
  const published = await callDatabase(client, (db) =>
    queries.publishDefinition(db, { id: plan.id, source: source.text, format: source.format, planText, planHash }),
  );
  return { ...published, planHash };
}

/** The newest version of each published definition. */
export async function listDefinitions(client: VaporaClient): Promise<queries.DefinitionSummary[]> {
  return callDatabase(client, (db) => queries.listDefinitions(db));
}

/** One version (default the newest). AppError `not_found`. */
export async function getDefinition(client: VaporaClient, id: string, version?: number): Promise<queries.Definition> {
  const definition = await callDatabase(client, (db) => queries.findDefinition(db, id, version));
  if (definition !== undefined) return definition;
  const which = version === undefined ? `no published definition ${id}` : `no version ${version} of ${id}`;
  throw new AppError('not_found', which, { hint: "'vapora definitions list' shows what is published" });
}
