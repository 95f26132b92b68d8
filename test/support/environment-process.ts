/**
 * Runs an embedded environment as a process of its own, for the tests that kill it:
 *   environment-process.ts '{"projectDir": "…", …}'
 * Prints one JSON line per event: ready, crash, failed. SIGTERM stops it cleanly.
 */
import { ensureSearchAttributes } from '../../client/search-attributes';
import { startEnvironment, type EnvironmentOptions } from '../../embedded/environment';
import { Connection } from '@temporalio/client';

type Options = Pick<EnvironmentOptions, 'projectDir' | 'usualPorts' | 'durable' | 'guard'>;

function print(event: Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

async function main(options: Options): Promise<void> {
  const interrupt = new AbortController();
  let stop = (): void => interrupt.abort();
  process.on('SIGTERM', () => stop());
  const startedAt = performance.now();
  try {
    const environment = await startEnvironment({
      ...options,
      signal: interrupt.signal,
      registerSearchAttributes: async ({ temporalAddress, temporalNamespace }) => {
        const connection = await Connection.connect({ address: temporalAddress });
        try {
          await ensureSearchAttributes(connection, temporalNamespace);
        } finally {
          await connection.close();
        }
      },
      onProgress: ({ part, message }) => print({ event: 'progress', part, message, atMs: Math.round(performance.now() - startedAt) }),
      onCrash: (crash) => {
        print({ event: 'crash', ...crash });
      },
    });
    stop = (): void => {
      void environment.stop().then(() => print({ event: 'stopped' }));
    };
    const { stop: _stop, ...values } = environment;
    print({ event: 'ready', elapsedMs: Math.round(performance.now() - startedAt), ...values });
  } catch (error) {
    const { code, message, hint } = error as { code?: string; message: string; hint?: string };
    print({ event: 'failed', code, message, hint });
    process.exitCode = 1;
  }
}

void main(JSON.parse(process.argv[2] ?? '{}') as Options);
