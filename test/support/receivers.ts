/** A webhook receiver and a mail server on loopback, each answering as the test says. */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';

export interface ReceivedPost {
  path: string;
  headers: IncomingHttpHeaders;
  body: Record<string, unknown>;
  status: number;
}

export interface Receiver {
  url: string;
  /** All that came, refused ones too. */
  posts: ReceivedPost[];
  stop(): Promise<void>;
}

/** `answer` gives the status for the k-th POST (from 0), and headers; `never` leaves it without an answer. */
export async function startReceiver(
  answer: (post: Omit<ReceivedPost, 'status'>, k: number) => number | { status: number; headers: Record<string, string> } | 'never' = () =>
    204,
): Promise<Receiver> {
  const posts: ReceivedPost[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Record<string, unknown>;
      const post = { path: request.url ?? '', headers: request.headers, body };
      const answered = answer(post, posts.length);
      const { status, headers } = typeof answered === 'object' ? answered : { status: answered === 'never' ? 0 : answered, headers: {} };
      posts.push({ ...post, status });
      if (answered !== 'never') response.writeHead(status, headers).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    posts,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A port of loopback on which nobody listens (any more). */
export async function findClosedUrl(): Promise<string> {
  const receiver = await startReceiver();
  await receiver.stop();
  return receiver.url;
}

export interface MailServer {
  /** host:port. */
  host: string;
  mails: { from: string; to: string[]; text: string }[];
  stop(): Promise<void>;
}

export interface MailServerOptions {
  login?: { user: string; password: string };
  /** The answer to a recipient: 0 = taken. */
  refuse?: (address: string) => number;
}

export async function startMailServer({ login, refuse = () => 0 }: MailServerOptions = {}): Promise<MailServer> {
  const mails: MailServer['mails'] = [];
  const server = new SMTPServer({
    authOptional: login === undefined,
    allowInsecureAuth: true,
    disabledCommands: ['STARTTLS', ...(login === undefined ? ['AUTH'] : [])],
    onAuth({ username, password }, _session, done) {
      if (username === login?.user && password === login?.password) done(null, { user: username ?? '' });
      else done(Object.assign(new Error(`wrong password ${password ?? ''}`), { responseCode: 535 }));
    },
    onRcptTo({ address }, _session, done) {
      const responseCode = refuse(address);
      done(responseCode === 0 ? null : Object.assign(new Error('no such person'), { responseCode }));
    },
    onData(stream, { envelope }, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        mails.push({
          from: envelope.mailFrom === false ? '' : envelope.mailFrom.address,
          to: envelope.rcptTo.map(({ address }) => address),
          text: Buffer.concat(chunks).toString('utf8'),
        });
        done();
      });
    },
  });
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  return {
    host: `127.0.0.1:${(server.server.address() as AddressInfo).port}`,
    mails,
    stop: () => new Promise((resolve) => void server.close(() => resolve())),
  };
}
