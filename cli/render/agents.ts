import type { RunStatusView, StepView } from '../../core/contract/views';
import { formatPercent } from './duration';
import { plainText, symbolOf, type RenderOptions } from './style';

/** What an agent of a role is seen doing. The part of the role before its last hyphens decides, so `developer-backend` implements. */
const activities: [prefix: string, activity: string][] = [
  ['architect', 'Designing'],
  ['project-manager', 'Planning'],
  ['decision-maker', 'Deciding'],
  ['developer', 'Implementing'],
  ['code-reviewer', 'Reviewing'],
  ['reviewer', 'Reviewing'],
  ['tester', 'Testing'],
  ['security', 'Auditing'],
  ['documenter', 'Documenting'],
  ['devops', 'Deploying'],
  ['monitor', 'Monitoring'],
  ['marketer', 'Announcing'],
];

function activityOf(role: string): string {
  return activities.find(([prefix]) => role === prefix || role.startsWith(`${prefix}-`))?.[1] ?? 'Working';
}

const activeStates: ReadonlySet<string> = new Set(['assigned', 'running', 'reworking', 'compensating']);
const pendingStates: ReadonlySet<string> = new Set(['pending', 'ready', 'deferred']);

/** Who works, or holds finished work that a person has to look at. */
export function isActive(step: StepView): boolean {
  return activeStates.has(step.state) || (step.state === 'waiting_approval' && step.agent !== null);
}

function isPending(step: StepView): boolean {
  return pendingStates.has(step.state) || (step.state === 'waiting_approval' && step.agent === null);
}

/** An agent's id, or its role in brackets while nobody is chosen. */
function nameOf(step: StepView): string {
  return plainText(step.agent ?? `(${step.role})`);
}

/** `developer-001 🟢 Implementing 4_backend_dev (50% done)`, one entry per running step. */
export function activeAgentLines(view: RunStatusView, options: RenderOptions): string[] {
  return view.steps.filter(isActive).map((step) => {
    if (step.state === 'waiting_approval') {
      return `${nameOf(step)} ${symbolOf('waiting', options)} ${step.id}: waiting for approval`;
    }
    const symbol = symbolOf(step.state === 'compensating' ? 'undone' : step.state === 'assigned' ? 'waiting' : 'active', options);
    const activity = step.state === 'compensating' ? 'Undoing' : step.state === 'assigned' ? 'Starting' : activityOf(step.role);
    const rework = step.state === 'reworking' || step.generation > 1 ? `, round ${step.generation}` : '';
    const percent = step.progress === null ? '' : ` (${formatPercent(step.progress)} done${rework})`;
    const round = step.progress === null && rework !== '' ? ` (${rework.slice(2)})` : '';
    const message = step.message === undefined || step.message === '' ? '' : `: ${plainText(step.message)}`;
    return `${nameOf(step)} ${symbol} ${activity} ${step.id}${percent}${round}${message}`;
  });
}

/** `(code-reviewer) ⏳ 7a_frontend_review: waiting for 4_frontend_dev` */
export function pendingAgentLines(view: RunStatusView, options: RenderOptions): string[] {
  return view.steps.filter(isPending).map((step) => {
    const symbol = symbolOf('pending', options);
    return `${nameOf(step)} ${symbol} ${step.id}: ${waitingText(step)}`;
  });
}

function waitingText(step: StepView): string {
  // Its own gate: the name of the step says nothing that does not stand there already.
  if (step.waitsFor.includes(step.id)) return 'waiting for approval';
  if (step.waitsFor.includes(`${step.id}:start`)) return 'waiting for its manual start';
  if (step.waitsFor.length > 0) return `waiting for ${step.waitsFor.map(plainText).join(', ')}`;
  if (step.reason !== null && step.reason !== '') return plainText(step.reason);
  return step.state === 'ready' ? 'ready to start' : step.state;
}

/** `n` works now, of `m` that the run has or will need: each known agent once, each role without an agent yet once. */
export function countAgents(view: RunStatusView): { active: number; total: number } {
  const agents = new Set<string>();
  const active = new Set<string>();
  const staffedRoles = new Set<string>();
  for (const step of view.steps) {
    if (step.agent === null) continue;
    agents.add(step.agent);
    staffedRoles.add(step.role);
    if (isActive(step)) active.add(step.agent);
  }
  const openRoles = new Set<string>();
  for (const step of view.steps) if (step.agent === null && isPending(step) && !staffedRoles.has(step.role)) openRoles.add(step.role);
  return { active: active.size, total: agents.size + openRoles.size };
}
