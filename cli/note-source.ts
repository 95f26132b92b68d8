import type { Answer } from '../client/run-views';
import type { CommandContext } from './command';

/** Says so when an answer is what was last recorded instead of what is. */
export function noteSource({ note }: CommandContext, from: Answer<unknown>['from']): void {
  if (from === 'database') note('no worker answers: this is what was last recorded in Postgres');
}
