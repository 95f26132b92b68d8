import { escalateNow, findNextDeciders } from '../gate-timers';
import type { Run } from '../run';
import { accept, findOneStep, list, openGateOf, refuse, type Asked, type Judged } from './judged';

export function escalate(run: Run, id: string, { by, reason }: Asked): Judged {
  const found = findOneStep(run, id);
  if (!found.ok) return found;
  const { node } = found;
  const gate = openGateOf(run, node);
  if (gate === undefined) return refuse('does_not_apply', `${id} is ${node.run.state}: nobody is asked about it`);
  const next = findNextDeciders(run, gate);
  if (next.length === 0) {
    const who = gate.approvers.length === 0 ? 'anyone may decide it' : `${list(gate.approvers)} may decide it, and nobody else is named`;
    return refuse('does_not_apply', `${gate.id} cannot be escalated: ${who}`);
  }
  return accept(() => {
    escalateNow(run, gate, { actor: by, reason: reason ?? 'escalated' });
    return { message: `${list(next)} may decide ${gate.id} too`, steps: [id] };
  });
}
