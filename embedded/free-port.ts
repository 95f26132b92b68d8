import { createServer, connect } from 'node:net';

/**
 * A port on 127.0.0.1 that nobody listens on: `usualPort` if it is free and not in `taken`, otherwise any.
 * Another process may take it before its user binds it; whoever starts a server retries with another port.
 */
export async function findFreePort(usualPort?: number, taken: ReadonlySet<number> = new Set()): Promise<number> {
  if (usualPort !== undefined && !taken.has(usualPort)) {
    const port = await tryListen(usualPort);
    if (port !== undefined) return port;
  }
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = await tryListen(0);
    if (port !== undefined && !taken.has(port)) return port;
  }
  throw new Error('no free port on 127.0.0.1 after 100 attempts');
}

/** Whether something accepts connections there. */
export function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      socket.destroy();
      resolve(false);
    });
  });
}

function tryListen(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.unref();
    server.once('error', () => resolve(undefined));
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => {
      const address = server.address();
      const chosen = typeof address === 'object' && address !== null ? address.port : undefined;
      server.close(() => resolve(chosen));
    });
  });
}
