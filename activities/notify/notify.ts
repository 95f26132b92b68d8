import { Context } from '@temporalio/activity';
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import type { Logger } from '@temporalio/common';
import { noticeFailureTypes, type NoticeChannelName, type NotifyInput, type NotifyOutput } from '../../core/contract/notice';
import { createSecrets } from '../secrets';
import { sendToLog } from './log-channel';
import { sendMail } from './mail-channel';
import { undelivered, type Delivery } from './delivery';
import { sendToSlack, sendToWebhook } from './webhook-channel';

const senders: Record<NoticeChannelName, (delivery: Delivery) => Promise<string>> = {
  log: sendToLog,
  webhook: sendToWebhook,
  slack: sendToSlack,
  email: sendMail,
};

/** The activity behind every notice: tells one channel once, or throws; Temporal tries again. Secrets leave it in no message. */
export function createNotifyActivity({ log }: { log: Logger }): (input: NotifyInput) => Promise<NotifyOutput> {
  return async ({ notice, channel }) => {
    const { info, cancellationSignal: signal } = Context.current();
    const secrets = createSecrets();
    try {
      const address = await senders[channel.channel]({ notice, channel, secrets, signal, log });
      return { address: secrets.redact(address), attempt: info.attempt };
    } catch (error) {
      if (signal.aborted) throw error;
      const failure = error instanceof ApplicationFailure ? error : undelivered(error instanceof Error ? error.message : String(error));
      const message = secrets.redact(failure.message);
      log.warn('a notice was not delivered', { run: notice.run.id, channel: channel.channel, event: notice.event, cause: message });
      throw ApplicationFailure.create({
        type: failure.type ?? noticeFailureTypes.undelivered,
        message,
        nonRetryable: failure.nonRetryable ?? false,
        category: ApplicationFailureCategory.BENIGN,
        ...(failure.nextRetryDelay != null && { nextRetryDelay: failure.nextRetryDelay as number }),
      });
    }
  };
}
