/** A worker of ours on a time-skipping server of its own: hours of workflow time take a moment, with the run's real Postgres. */
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import pino from 'pino';
import { searchAttributeTypes } from '../../client/search-attributes';
import { installRuntime } from '../../workers/logger';
import { startTimeSkippingEnvironment } from './environment';
import { startTestVapora } from './vapora';
import type { TestVapora } from './vapora';

export interface TimeSkippingVapora {
  vapora: TestVapora;
  /** Workflow time: the server's clock, which is ahead of this machine's. */
  nowMs(): Promise<number>;
  /** Lets workflow time pass up to this moment. What is due before it happens at its time; time stands still while anybody works. */
  passTo(atMs: number): Promise<void>;
  /** Call it in afterAll: the server's process outlives a careless parent. */
  stop(): Promise<void>;
}

export async function startTimeSkippingVapora(): Promise<TimeSkippingVapora> {
  // Before the server, which would install one with defaults.
  installRuntime(pino({ level: 'silent' }));
  const environment = await startTimeSkippingEnvironment();
  try {
    await registerSearchAttributes(environment);
    const vapora = await startTestVapora({ temporalAddress: environment.address });
    const nowMs = (): Promise<number> => environment.currentTimeMs();
    return {
      vapora,
      nowMs,
      async passTo(atMs) {
        await environment.sleep(Math.max(0, atMs - (await nowMs())));
      },
      stop: () => vapora.stop().finally(() => environment.teardown()),
    };
  } catch (error) {
    await environment.teardown();
    throw error;
  }
}

/** This server can be told of them, but not asked which there are, as `ensureSearchAttributes` does. */
async function registerSearchAttributes({ connection, namespace = 'default' }: TestWorkflowEnvironment): Promise<void> {
  const searchAttributes = Object.fromEntries(
    Object.entries(searchAttributeTypes).map(([name, type]) => [name, type === 'Keyword' ? 2 : 7]),
  );
  await connection.operatorService.addSearchAttributes({ namespace, searchAttributes });
}
