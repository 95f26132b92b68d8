import { extractTaskType, taskTypeOfRole } from '../plan/task-type';

/**
 * The task type of a step that names none: a monitor's and a test's is plain, then the role decides, and for a role of the
 * user's own the words of its id, title and actions.
 */
export function inferTaskType(step: {
  role: string;
  id: string;
  title?: string | undefined;
  actions: readonly string[];
  isMonitor: boolean;
  isTest: boolean;
}): string {
  if (step.isMonitor) return 'Monitoring';
  if (step.isTest) return 'Testing';
  if (step.role === 'decision-maker') return 'GeneralQuery';
  return (
    taskTypeOfRole(step.role) ??
    extractTaskType({ title: `${step.title ?? ''} ${step.id}`, description: [...step.actions, step.role].join(' ') })
  );
}
