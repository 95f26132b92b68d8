import { ApplicationFailure, ApplicationFailureCategory, type Logger } from '@temporalio/common';
import { noticeFailureTypes, secretPattern, type NoticeChannel, type NoticeDocument } from '../../core/contract/notice';
import type { Secrets } from '../secrets';

/** One attempt to tell one channel. A sender gives whom it reached, without what is secret about it. */
export interface Delivery {
  notice: NoticeDocument;
  channel: NoticeChannel;
  secrets: Secrets;
  signal: AbortSignal;
  log: Logger;
}

/** An attempt ends well before Temporal's own limit for it, so that the message says what was waited for. */
export const attemptTimeoutMs = 20_000;

/** The worker logs it in a line of its own, and the audit says so: no alarm beside them. */
const category = ApplicationFailureCategory.BENIGN;

/** It did not get through: it is tried again, not before `retryAfterMs`. */
export function undelivered(message: string, retryAfterMs?: number): ApplicationFailure {
  return ApplicationFailure.create({
    type: noticeFailureTypes.undelivered,
    message,
    category,
    ...(retryAfterMs !== undefined && { nextRetryDelay: retryAfterMs }),
  });
}

/** No other try would help. The message says what to put right. */
export function undeliverable(message: string): ApplicationFailure {
  return ApplicationFailure.create({ type: noticeFailureTypes.undeliverable, message, category, nonRetryable: true });
}

/** The text with the secrets that it names. What a secret contains is never read as a placeholder. */
export async function fillSecrets(template: string, secrets: Secrets): Promise<string> {
  const values = new Map<string, string>();
  for (const [, name = ''] of template.matchAll(secretPattern)) values.set(name, await secrets.resolve(name));
  return template.replace(secretPattern, (_, name: string) => values.get(name) ?? '');
}
