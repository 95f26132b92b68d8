import { MockActivityEnvironment } from '@temporalio/testing';
import type { Logger } from '@temporalio/common';
import type { NoticeChannel, NoticeDocument, NotifyOutput } from '../../core/contract/notice';
import { findClosedUrl, startMailServer, startReceiver, type MailServerOptions, type Receiver } from '../../test/support/receivers';
import { createNotifyActivity } from './notify';

const notice: NoticeDocument = {
  schemaVersion: 1,
  key: '0190-run/vapora.notify/3',
  event: 'waiting',
  kind: 'opened',
  at: '2026-01-05T12:00:00.000Z',
  title: 'mfa: waits for a decision about <a & b>',
  text: 'Who may decide: ána\nApprove: vapora workflow approve --id mfa --gate a',
  people: [],
  run: { id: 'mfa', definition: 'mfa', status: 'waiting_approval', phase: null, initiator: 'ivo', timeScale: 1 },
};

const lines: { level: string; message: string; meta: unknown }[] = [];
const write =
  (level: string) =>
  (message: string, meta?: unknown): void =>
    void lines.push({ level, message, meta });
const log = { info: write('info'), warn: write('warn') } as unknown as Logger;

const stops: (() => Promise<void>)[] = [];
const before = { ...process.env };
beforeEach(() => void (lines.length = 0));
afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()));
  process.env = { ...before };
});

const send = (channel: NoticeChannel, more: Partial<NoticeDocument> = {}): Promise<NotifyOutput> =>
  new MockActivityEnvironment({ attempt: 2 }).run(createNotifyActivity({ log }), { notice: { ...notice, ...more }, channel });
const webhook = (url: string): NoticeChannel => ({ channel: 'webhook', url });
async function receive(...answer: Parameters<typeof startReceiver>): Promise<Receiver> {
  const receiver = await startReceiver(...answer);
  stops.push(receiver.stop);
  return receiver;
}
async function mailServer(options?: MailServerOptions) {
  const server = await startMailServer(options);
  stops.push(server.stop);
  const { user, password } = options?.login ?? {};
  const login = user === undefined ? '' : `${user}:${encodeURIComponent(password ?? '')}@`;
  process.env['VAPORA_SMTP_URL'] = `smtp://${login}${server.host}`;
  process.env['VAPORA_MAIL_FROM'] = 'vapora <vapora@example.com>';
  return server;
}

test('a webhook gets the document, and its key as idempotency key', async () => {
  const receiver = await receive();
  expect(await send(webhook(`${receiver.url}/hook?x=1`))).toEqual({ address: new URL(receiver.url).host, attempt: 2 });
  expect(receiver.posts).toMatchObject([
    {
      path: '/hook?x=1',
      headers: { 'idempotency-key': notice.key, 'content-type': 'application/json; charset=utf-8' },
      body: { ...notice },
    },
  ]);
});

test('slack gets a text in which nothing is a mention or a link', async () => {
  const receiver = await receive();
  await send({ channel: 'slack', url: receiver.url });
  expect(receiver.posts.map(({ body }) => body)).toEqual([{ text: `*mfa: waits for a decision about &lt;a &amp; b&gt;*\n${notice.text}` }]);
});

test('a secret in the address is looked up on the worker, and stands in no message', async () => {
  const receiver = await receive(() => 500);
  process.env['TEST_HOOK'] = `${receiver.url}/T123/s3cret`;
  const failure = await send({ channel: 'webhook', url: '${secret:TEST_HOOK}' }).catch((error: unknown) => error);
  expect(failure).toMatchObject({ message: `${new URL(receiver.url).host} answered 500 Internal Server Error`, nonRetryable: false });
  expect(receiver.posts[0]?.path).toBe('/T123/s3cret');
  expect(JSON.stringify(lines)).not.toContain('s3cret');
  expect(lines).toMatchObject([{ level: 'warn', message: 'a notice was not delivered' }]);
});

test('a login in the address becomes a header', async () => {
  const receiver = await receive();
  expect(await send(webhook(receiver.url.replace('//', '//ana:p%40ss@')))).toMatchObject({
    address: new URL(receiver.url).host,
  });
  expect(receiver.posts[0]?.headers.authorization).toBe(`Basic ${Buffer.from('ana:p@ss').toString('base64')}`);
});

test.each([
  [500, true],
  [503, true],
  [429, true],
  [408, true],
  [400, false],
  [404, false],
  [410, false],
])('an answer %d is tried again: %s', async (status, isRetried) => {
  const receiver = await receive(() => status);
  await expect(send(webhook(receiver.url))).rejects.toMatchObject({ nonRetryable: !isRetried });
});

test('a receiver that says when to come again is heard, within bounds', async () => {
  for (const [seconds, delay] of [
    ['3', 3_000],
    ['86400', 30_000],
    ['soon', undefined],
  ] as const) {
    const receiver = await receive(() => ({ status: 429, headers: { 'retry-after': seconds } }));
    const failure = await send(webhook(receiver.url)).catch((error: unknown) => error);
    expect((failure as { nextRetryDelay?: unknown }).nextRetryDelay ?? undefined).toBe(delay);
  }
});

test('a redirect is not followed', async () => {
  const other = await receive();
  const receiver = await receive(() => ({ status: 302, headers: { location: other.url } }));
  await expect(send(webhook(receiver.url))).rejects.toMatchObject({
    nonRetryable: true,
    message: expect.stringContaining('302'),
  });
  expect(other.posts).toEqual([]);
});

test('nobody listens: tried again, with the reason and the host alone', async () => {
  const url = await findClosedUrl();
  await expect(send(webhook(`${url}/T123`))).rejects.toMatchObject({
    nonRetryable: false,
    message: `${new URL(url).host}: ECONNREFUSED`,
  });
});

test.each([
  ['no address', 'not an address', 'no address of http or https'],
  ['another protocol', 'file:///etc/passwd', 'no address of http or https'],
  ['a secret that is not there', '${secret:NOWHERE_AT_ALL}', 'NOWHERE_AT_ALL is not known on this worker'],
])('%s is not tried again', async (_, url, message) => {
  await expect(send(webhook(url))).rejects.toMatchObject({ nonRetryable: true, message: expect.stringContaining(message) });
});

test('an attempt that is cancelled ends at once', async () => {
  const environment = new MockActivityEnvironment();
  const receiver = await receive(() => {
    environment.cancel();
    return 'never';
  });
  const sending = environment.run(createNotifyActivity({ log }), { notice, channel: webhook(receiver.url) });
  await expect(sending).rejects.not.toMatchObject({ type: 'NoticeUndelivered' });
});

test('a mail: plain text, to all who are named, its id the same for every attempt', async () => {
  const server = await mailServer({ login: { user: 'ana', password: 'p@ss/word' } });
  const title = 'mfa: run\r\nBcc: mallory@example.com';
  const channel: NoticeChannel = { channel: 'email', to: 'team@example.com, Ben <ben@example.com>' };
  expect(await send(channel, { title })).toEqual({ address: 'team@example.com, ben@example.com', attempt: 2 });
  await send(channel, { title });
  expect(server.mails).toHaveLength(2);
  for (const mail of server.mails) {
    expect(mail).toMatchObject({ from: 'vapora@example.com', to: ['team@example.com', 'ben@example.com'] });
    expect(mail.text).toMatch(/^Message-ID: <0190-run\.3@vapora\.notify>\r$/m);
    expect(mail.text).toMatch(/^References: <0190-run@vapora\.notify>\r$/m);
    expect(mail.text).toMatch(/^Content-Type: text\/plain; charset=utf-8\r$/m);
    expect(mail.text).toContain('vapora workflow approve --id mfa --gate a');
    expect(mail.text).not.toMatch(/^Bcc:/m);
  }
});

test.each<[string, number, boolean]>([
  ['for good', 550, false],
  ['for now', 450, true],
])('a recipient who is refused %s', async (_, code, isRetried) => {
  await mailServer({ refuse: () => code });
  await expect(send({ channel: 'email', to: 'gone@example.com' })).rejects.toMatchObject({
    nonRetryable: !isRetried,
    message: expect.stringMatching(/^the mail server at 127\.0\.0\.1:\d+: /),
  });
});

test('one of several recipients who is refused is named, and the others have their mail', async () => {
  const server = await mailServer({ refuse: (address) => (address.startsWith('gone') ? 550 : 0) });
  expect(await send({ channel: 'email', to: 'gone@example.com, ana@example.com' })).toMatchObject({
    address: 'ana@example.com (refused: gone@example.com)',
  });
  expect(server.mails).toHaveLength(1);
});

test('a login that is refused is not tried again, and the password stands in no message', async () => {
  await mailServer({ login: { user: 'ana', password: 'right-one' } });
  process.env['VAPORA_SMTP_URL'] = process.env['VAPORA_SMTP_URL']?.replace('right-one', 'wr0ng-one');
  const failure = await send({ channel: 'email', to: 'ana@example.com' }).catch((error: unknown) => error);
  expect(failure).toMatchObject({ nonRetryable: true, message: expect.stringContaining('[redacted:') });
  expect(JSON.stringify([failure, lines])).not.toContain('wr0ng-one');
});

test('a mail server that is away is tried again', async () => {
  process.env['VAPORA_SMTP_URL'] = (await findClosedUrl()).replace('http:', 'smtp:');
  process.env['VAPORA_MAIL_FROM'] = 'vapora@example.com';
  await expect(send({ channel: 'email', to: 'ana@example.com' })).rejects.toMatchObject({ nonRetryable: false });
});

test.each([
  ['the server', { VAPORA_MAIL_FROM: 'a@example.com' }, 'VAPORA_SMTP_URL'],
  ['the server, in another form', { VAPORA_SMTP_URL: 'mail.example.com', VAPORA_MAIL_FROM: 'a@example.com' }, 'smtps://'],
  ['the sender', { VAPORA_SMTP_URL: 'smtp://127.0.0.1:1' }, 'VAPORA_MAIL_FROM'],
])('a worker without %s says what to set', async (_, settings, message) => {
  Object.assign(process.env, settings);
  await expect(send({ channel: 'email', to: 'ana@example.com' })).rejects.toMatchObject({
    nonRetryable: true,
    message: expect.stringContaining(message),
  });
});

test.each<[string, Partial<NoticeDocument>, string]>([
  ['of something to know', { event: 'completed', kind: 'completed' }, 'info'],
  ['of something to look after', { event: 'failed', kind: 'rolled_back' }, 'warn'],
])('a line in the log, %s', async (_, more, level) => {
  expect(await send({ channel: 'log' }, more)).toEqual({ address: 'log', attempt: 2 });
  expect(lines).toMatchObject([{ level, message: notice.title, meta: { run: 'mfa', notice: notice.key, text: notice.text } }]);
});
