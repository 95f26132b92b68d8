import type { RefusalCode } from '../core/contract/messages';
import { hintOfRefusal } from './control-run';

test.each<[RefusalCode | undefined, string]>([
  ['not_approver', '--by NAME'],
  ['barred', '--by NAME'],
  ['reason_needed', '--reason'],
  ['run_ended', 'vapora workflow result --id r1'],
  ['already_decided', 'vapora workflow status --id r1'],
  [undefined, 'vapora workflow status --id r1'],
])('a vote refused as %s says what to type instead', (code, hint) => expect(hintOfRefusal(code, 'r1')).toContain(hint));
