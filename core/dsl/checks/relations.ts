import { findCycles, findDescendants, type Graph } from '../../plan/graph';
import type { DraftStep, WorkflowDraft } from '../draft';
import type { Word } from '../fields';
import type { CompileContext } from '../keyed-map';
import { limits } from '../limits';
import { isRole, roleFallbacks } from '../roles';
import { didYouMean } from '../diagnostic-sink';
import type { StepOrder } from './step-order';
import type { DependencyPlaces } from './dependencies';
import { findStep, type Names } from './names';

/** `parallel_with` adds nothing: unknown names and claims that the order makes false are warned of. */
export function checkParallelClaims(
  context: CompileContext,
  draft: WorkflowDraft,
  resolved: { names: Names; places: DependencyPlaces; order: StepOrder | undefined },
): void {
  const { names, places, order } = resolved;
  const serialPhases = new Set(draft.phases.filter((phase) => phase.plan.serial).map((phase) => phase.plan.id));
  for (const step of draft.steps) {
    const claimed = new Set<string>();
    for (const word of step.parallelWith) {
      const other = findStep(context, names, word, { severity: 'warning' });
      if (other === undefined || claimed.has(other.plan.id)) continue;
      claimed.add(other.plan.id);
      const excluded = whyNeverTogether(step, other, serialPhases);
      if (excluded !== undefined) {
        context.sink.report({ code: 'parallel_dependency', severity: 'warning', ...excluded, path: word.path, span: word.span });
        if (other === step) continue;
      }
      step.plan.parallelWith.push(other.plan.id);
      const [a, b] = [order?.nodes.get(step.plan.id), order?.nodes.get(other.plan.id)];
      if (order === undefined || a === undefined || b === undefined || !order.reach.isOrdered(a, b)) continue;
      const [first, last] = order.reach.isBefore(a, b) ? [step, other] : [other, step];
      const reference = places[last === step ? a : b]?.get(first.plan.id);
      context.sink.report({
        code: 'parallel_dependency',
        severity: 'warning',
        message: `\`${step.plan.id}\` cannot run in parallel with \`${other.plan.id}\`: \`${last.plan.id}\` waits for \`${first.plan.id}\`, and the dependency wins`,
        hint: 'remove the claim, or the dependency',
        path: word.path,
        span: word.span,
        ...(reference === undefined ? {} : { related: [{ message: 'the dependency', span: reference }] }),
      });
    }
  }
}

function whyNeverTogether(
  step: DraftStep,
  other: DraftStep,
  serialPhases: ReadonlySet<string>,
): { message: string; hint: string } | undefined {
  if (other === step) return { message: `\`${step.plan.id}\` cannot run in parallel with itself`, hint: 'remove the claim' };
  const { phase } = step.plan;
  if (phase !== other.plan.phase || !serialPhases.has(phase)) return undefined;
  return {
    message: `\`${step.plan.id}\` cannot run in parallel with \`${other.plan.id}\`: the phase \`${phase}\` is serial`,
    hint: 'remove the claim, or `serial: true`',
  };
}

/** Fills `securityReviewers`: the steps named, else the security steps that share a dependency; none, or a circle, is an error. */
export function resolveSecurityReviewers(context: CompileContext, draft: WorkflowDraft, names: Names): void {
  const byDependency = new Map<string, string[]>();
  for (const { plan } of draft.steps) {
    if (!isRole(plan.role, 'security')) continue;
    for (const { step } of plan.dependsOn) {
      const reviewers = byDependency.get(step);
      if (reviewers === undefined) byDependency.set(step, [plan.id]);
      else reviewers.push(plan.id);
    }
  }
  let total = 0;
  for (const step of draft.steps) {
    const { security, plan } = step;
    if (security === undefined) continue;
    const named = security.named.flatMap((word) => findReviewer(context, step, word, names));
    const shared = security.named.length > 0 ? [] : plan.dependsOn.flatMap((dependency) => byDependency.get(dependency.step) ?? []);
    plan.securityReviewers = [...new Set([...named, ...shared])].filter((id) => id !== plan.id);
    total += plan.securityReviewers.length;
    if (total > limits.expandedDependencies) {
      context.sink.report({
        code: 'too_large',
        message: `more than ${limits.expandedDependencies} security reviews`,
        path: security.path,
        span: security.span,
      });
      return;
    }
    if (plan.securityReviewers.length > 0 || named.length < security.named.length) continue;
    context.sink.report({
      code: 'no_security_step',
      message: `no step of role \`security\` shares a dependency with \`${plan.id}\``,
      hint: 'name the step: `security_required: <id>`',
      path: security.path,
      span: security.span,
    });
  }
  checkSecurityCircles(context, draft);
}

/** A step named in `security_required`: security work, and not the step itself. */
function findReviewer(context: CompileContext, step: DraftStep, word: Word, names: Names): string[] {
  const reviewer = findStep(context, names, word);
  if (reviewer === undefined) return [];
  if (reviewer !== step && isRole(reviewer.plan.role, 'security')) return [reviewer.plan.id];
  context.sink.report({
    code: 'no_security_step',
    message:
      reviewer === step
        ? `\`${word.text}\` cannot be its own security review`
        : `\`${word.text}\` has the role \`${reviewer.plan.role}\`, not \`security\``,
    hint: 'name a step of role `security`',
    path: word.path,
    span: word.span,
    ...(reviewer === step ? {} : { related: [{ message: 'the step is here', span: reviewer.idSpan }] }),
  });
  return [];
}

/** A step that waits for the approval of a step that waits for it. */
function checkSecurityCircles(context: CompileContext, draft: WorkflowDraft): void {
  if (!draft.steps.some((step) => step.plan.securityReviewers.length > 0)) return;
  const nodes = new Map(draft.steps.map((step, node) => [step.plan.id, node]));
  const graph: Graph = {
    dependencies: draft.steps.map(({ plan }) =>
      [...plan.dependsOn.map((dependency) => dependency.step), ...plan.securityReviewers]
        .map((id) => nodes.get(id))
        .filter((node) => node !== undefined),
    ),
  };
  for (const { nodes: circle } of findCycles(graph)) {
    const steps = circle.map((node) => draft.steps[node]).filter((step) => step !== undefined);
    const step = steps.find((member) => member.security !== undefined);
    if (step?.security === undefined) continue;
    const ids = steps.map((member) => member.plan.id);
    context.sink.report({
      code: 'cycle',
      message: `\`${step.plan.id}\` needs an approval that waits for it: ${[...ids.slice(0, 12), ids[0]].join(' → ')}`,
      path: step.security.path,
      span: step.security.span,
    });
  }
}

/** What a monitor rolls back is the deployments before it, what any other step does is its own: there must be one. */
export function checkRollbacks(context: CompileContext, draft: WorkflowDraft, order: StepOrder): void {
  if (!draft.steps.some((step) => step.rollbacks.length > 0)) return;
  const deploys = draft.steps.filter((step) => step.plan.deploys).map((step) => order.nodes.get(step.plan.id) ?? 0);
  const afterDeploys = findDescendants(order.graph, deploys);
  for (const step of draft.steps) {
    const [first] = step.rollbacks;
    if (first === undefined) continue;
    if (step.plan.monitor === undefined) {
      checkOwnRollback(context, step, first);
      continue;
    }
    if (afterDeploys.has(order.nodes.get(step.plan.id) ?? 0)) continue;
    for (const { key, span } of step.rollbacks) {
      context.sink.report({
        code: 'rollback_without_deploy',
        message: `\`${step.plan.id}\` depends on no deployment, so \`${key}\` has nothing to roll back`,
        hint: 'let it depend on the step that deploys',
        path: step.path,
        span,
      });
    }
  }
}

/** The agent's registry entry may still say how to undo it. */
function checkOwnRollback(context: CompileContext, { plan, path }: DraftStep, { key, span }: DraftStep['rollbacks'][number]): void {
  if (plan.deploys || plan.compensate !== undefined) return;
  context.sink.report({
    code: 'rollback_without_deploy',
    severity: 'warning',
    message: `\`${plan.id}\` deploys nothing and does not say how it is undone, so \`${key}\` has nothing to roll back`,
    hint: 'add `compensate: <action>`, or `deployment_strategy`',
    path,
    span,
  });
}

/** Steps named in `rework`. */
export function checkRework(context: CompileContext, draft: WorkflowDraft, names: Names): void {
  for (const step of draft.steps) for (const word of step.rework ?? []) findStep(context, names, word);
}

/** With a registry: every role, or what it falls back to along its hyphens, has an agent; every agent named exists. */
export function checkRoles(
  context: CompileContext,
  draft: WorkflowDraft,
  registry: { roles?: readonly string[]; agentIds?: readonly string[] },
): void {
  const roles = new Set(registry.roles);
  const agentIds = new Set(registry.agentIds);
  for (const { plan, roleWord } of draft.steps) {
    if (roleWord === undefined) continue;
    if (plan.agentId !== undefined && registry.agentIds !== undefined && !agentIds.has(plan.agentId)) {
      context.sink.report({
        code: 'unknown_role',
        message: `the registry has no agent \`${plan.agentId}\``,
        hint: didYouMean(context.sink.suggest(plan.agentId, agentIds)) ?? 'a role that ends in a number is written `role: …`',
        path: roleWord.path,
        span: roleWord.span,
      });
      continue;
    }
    if (plan.agentId !== undefined || registry.roles === undefined || roles.has('*')) continue;
    // `agent: ana` may name an agent: assignment looks for its id too.
    if (agentIds.has(plan.role) || roleFallbacks(plan.role).some((role) => roles.has(role))) continue;
    context.sink.report({
      code: 'unknown_role',
      message: `no agent of the registry has the role \`${plan.role}\``,
      hint: didYouMean(context.sink.suggest(plan.role, roles)) ?? `the registry has ${[...roles].slice(0, 12).join(', ')}`,
      path: roleWord.path,
      span: roleWord.span,
    });
  }
}
