import type { Plan, PlanStep } from '../../core/plan/types';
import { formatDuration } from './duration';
import { colorsFor, fitLine, plainText, treeLines, type RenderOptions } from './style';

export interface PlanSummary {
  plan: Plan;
  planHash: string;
  /** Agents that the run may use; undefined = all registered ones. */
  agents?: readonly { id: string; role: string }[] | undefined;
}

/** What a run would do, without doing it. */
export function renderPlanSummary({ plan, planHash, agents }: PlanSummary, options: RenderOptions): string {
  const colors = colorsFor(options);
  const lines = [
    `Workflow: ${colors.bold(plainText(plan.id))}${plan.title === undefined ? '' : ` - ${plainText(plan.title)}`}`,
    `Plan: sha256:${planHash}`,
    `Steps: ${plan.steps.length} in ${plan.phases.length} ${plan.phases.length === 1 ? 'phase' : 'phases'}, at most ${plan.maxConcurrentSteps} at once`,
  ];
  if (plan.plannedMs !== undefined) lines.push(`Planned: ${formatDuration(plan.plannedMs)}`);
  lines.push(`Agents: ${agents === undefined ? 'all that are registered' : agents.map(({ id }) => id).join(', ') || 'none'}`);
  for (const phase of plan.phases) {
    const steps = plan.steps.filter((step) => step.phase === phase.id);
    const planned = phase.plannedMs === undefined ? '' : `, ${formatDuration(phase.plannedMs)}`;
    lines.push(`${colors.bold(plainText(phase.title || phase.id))} (${steps.length}${planned}${phase.serial ? ', one at a time' : ''}):`);
    lines.push(...treeLines(steps.map(stepText), options));
    if (phase.gateText !== undefined) lines.push(`   gate: ${plainText(phase.gateText)}`);
  }
  const inputs = plan.inputs.map(({ name, type, required }) => `${name} (${type}${required ? ', required' : ''})`);
  if (inputs.length > 0) lines.push(`Inputs: ${inputs.map(plainText).join(', ')}`);
  return lines.map((line) => fitLine(line, options)).join('\n');
}

function stepText(step: PlanStep): string {
  const who = step.agentId ?? [step.role, ...step.skills.map((skill) => `+${skill}`)].join(' ');
  const marks = [
    step.count > 1 ? `${step.count} agents` : '',
    step.estimateMs === undefined ? '' : formatDuration(step.estimateMs),
    step.approval === undefined ? '' : `approval ${step.approval.when === 'before' ? 'before' : 'after'} the work`,
    step.monitor === undefined ? '' : `monitors for ${formatDuration(step.monitor.durationMs)}`,
    step.gateText === undefined ? '' : `must pass: ${step.gateText}`,
    step.optional ? 'optional' : '',
    step.async ? 'async' : '',
  ].filter(Boolean);
  const after = step.dependsOn.length === 0 ? '' : ` after ${step.dependsOn.map((dependency) => dependency.step).join(', ')}`;
  return plainText(`${step.id}: ${who}${after}${marks.length === 0 ? '' : ` [${marks.join('; ')}]`}`);
}
