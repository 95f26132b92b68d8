import type { CliCommand } from '../command';
import { configureDecision, decide } from '../decide';

export const command: CliCommand = {
  configure(command) {
    configureDecision(command, 'reject');
  },
  run: (context) => decide(context, 'reject'),
};
