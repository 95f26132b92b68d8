import { NativeConnection } from '@temporalio/worker';
import pino from 'pino';
import { startWorker } from './start-worker';

jest.mock('./logger', () => ({ installRuntime: () => undefined }));

test('without its database the worker leaves no connection open that would keep the process', async () => {
  const close = jest.fn(async () => undefined);
  jest.spyOn(NativeConnection, 'connect').mockResolvedValue({ close } as unknown as NativeConnection);
  const starting = startWorker({
    temporalAddress: '127.0.0.1:1',
    databaseUrl: 'postgres://127.0.0.1:1/none',
    dataDir: 'unused',
    log: pino({ level: 'silent' }),
  });
  await expect(starting).rejects.toMatchObject({ code: 'unavailable' });
  expect(close).toHaveBeenCalledTimes(1);
});
