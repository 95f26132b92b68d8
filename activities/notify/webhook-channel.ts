import { attemptTimeoutMs, fillSecrets, undeliverable, undelivered, type Delivery } from './delivery';

/** No more than this of a Retry-After is waited for: the run's end does not wait longer. */
const maxRetryAfterMs = 30_000;
/** Answers that another try may change: timeouts, conflicts of the moment, too many requests, and all of the server's own. */
const retriedStatuses = new Set([408, 409, 423, 425, 429]);

/** POSTs the notice as it is. */
export function sendToWebhook(delivery: Delivery): Promise<string> {
  return post(delivery, delivery.notice);
}

/** POSTs the text that Slack and those who speak its language show. */
export function sendToSlack(delivery: Delivery): Promise<string> {
  const { title, text } = delivery.notice;
  return post(delivery, { text: `*${escapeSlack(title)}*\n${escapeSlack(text)}` });
}

/** What agents and signals say mentions nobody and hides no link. */
function escapeSlack(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Gives the host. An address that is refused, moved or not there is not tried again; redirects are not followed. */
async function post({ notice, channel, secrets, signal }: Delivery, body: unknown): Promise<string> {
  const url = readUrl(await fillSecrets(channel.url ?? '', secrets));
  const headers: Record<string, string> = {
    'content-type': 'application/json; charset=utf-8',
    'user-agent': 'vapora',
    'idempotency-key': notice.key,
  };
  if (url.username !== '' || url.password !== '') {
    const login = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    headers['authorization'] = `Basic ${Buffer.from(login).toString('base64')}`;
    url.username = '';
    url.password = '';
  }
  const timeout = AbortSignal.timeout(attemptTimeoutMs);
  let response: Response;
  try {
    response = await fetch(url, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
      redirect: 'manual',
      signal: AbortSignal.any([signal, timeout]),
    });
  } catch (error) {
    if (signal.aborted) throw error;
    throw undelivered(
      timeout.aborted ? `${url.host} did not answer within ${attemptTimeoutMs / 1000} s` : `${url.host}: ${reasonOf(error)}`,
    );
  }
  // Its answer is of no interest, and what is not read keeps the connection.
  await response.body?.cancel().catch(() => undefined);
  const { status } = response;
  if (status >= 200 && status < 300) return url.host;
  const message = `${url.host} answered ${status}${response.statusText === '' ? '' : ` ${response.statusText}`}`;
  if (status >= 500 || retriedStatuses.has(status)) throw undelivered(message, retryAfterOf(response));
  throw undeliverable(status >= 300 && status < 400 ? `${message}: write the address that it points to` : message);
}

function readUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') throw undeliverable('the url of the channel is no address of http or https');
  return url;
}

/** What the system says, without the address: its path may be the secret. */
function reasonOf(error: unknown): string {
  const { name, cause } = error as { name?: string; cause?: { code?: unknown; name?: unknown } };
  const found = [cause?.code, cause?.name, name].find((word) => typeof word === 'string');
  return found === undefined ? 'cannot be reached' : String(found);
}

function retryAfterOf(response: Response): number | undefined {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(maxRetryAfterMs, Math.round(seconds * 1_000)) : undefined;
}
