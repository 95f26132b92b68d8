import { createTransport } from 'nodemailer';
import type { NoticeDocument } from '../../core/contract/notice';
import type { Secrets } from '../secrets';
import { attemptTimeoutMs, undeliverable, undelivered, type Delivery } from './delivery';

/** One mail in plain text, by the server that the worker's VAPORA_SMTP_URL names. Gives the addresses that it was taken for. */
export async function sendMail({ notice, channel, secrets, signal }: Delivery): Promise<string> {
  const server = readServer(await secrets.resolve('VAPORA_SMTP_URL'));
  const from = readSender();
  hidePassword(server, secrets);
  const transport = createTransport({
    url: server.href,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const timeout = AbortSignal.timeout(attemptTimeoutMs);
  try {
    const sent = await transport.sendMail({
      from,
      to: channel.to ?? '',
      subject: notice.title,
      text: notice.text,
      messageId: messageIdOf(notice),
      // Mail programs show what belongs to one run together.
      references: [threadOf(notice)],
      inReplyTo: threadOf(notice),
      signal: AbortSignal.any([signal, timeout]),
      headers: { 'Auto-Submitted': 'auto-generated', 'X-Vapora-Event': notice.event },
    });
    return sent.rejected.length === 0 ? addresses(sent.accepted) : `${addresses(sent.accepted)} (refused: ${addresses(sent.rejected)})`;
  } catch (error) {
    if (signal.aborted) throw error;
    const said = error instanceof Error ? error.message : String(error);
    const message = `the mail server at ${server.host}: ${timeout.aborted ? `not done within ${attemptTimeoutMs / 1000} s` : said}`;
    throw isFinal(error) ? undeliverable(message) : undelivered(message);
  } finally {
    transport.close();
  }
}

function readServer(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'smtp:' || url?.protocol === 'smtps:') return url;
  throw undeliverable('VAPORA_SMTP_URL is no address like smtps://user:password@mail.example.com');
}

function readSender(): string {
  const from = process.env['VAPORA_MAIL_FROM']?.trim() ?? '';
  if (from === '') throw undeliverable('this worker has no sender for mails: set VAPORA_MAIL_FROM to an address');
  return from;
}

/** The server's address as a whole is hidden already; what it is made of may stand in an error too. */
function hidePassword({ password }: URL, secrets: Secrets): void {
  if (password !== '') secrets.hideVariable('VAPORA_SMTP_PASSWORD', decodeURIComponent(password));
}

/** 5xx is an answer for good (an address that does not exist), and so is a login or an envelope that is not even tried. */
function isFinal(error: unknown): boolean {
  const { responseCode, code = '' } = error as { responseCode?: number; code?: string };
  return responseCode === undefined ? ['EENVELOPE', 'EAUTH', 'ENOAUTH'].includes(code) : responseCode >= 500;
}

/** `<run id>/vapora.notify/<n>` as the id of a mail: a repeated attempt has the same. */
function messageIdOf({ key }: NoticeDocument): string {
  const [run = '', , n = ''] = key.split('/');
  return `<${run}.${n}@vapora.notify>`;
}

function threadOf({ key }: NoticeDocument): string {
  return `<${key.split('/')[0] ?? ''}@vapora.notify>`;
}

function addresses(list: readonly string[]): string {
  return list.join(', ');
}
