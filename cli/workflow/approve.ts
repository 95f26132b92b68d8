import type { CliCommand } from '../command';
import { configureDecision, decide } from '../decide';

export const command: CliCommand = {
  configure(command) {
    configureDecision(command, 'approve');
  },
  run: (context) => decide(context, 'approve'),
};
