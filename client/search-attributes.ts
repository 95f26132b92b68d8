import { setTimeout as delay } from 'node:timers/promises';

import type { Connection } from '@temporalio/client';

import { AppError } from '../core/contract/errors';
import { searchAttributes } from '../core/contract/names';

/** Numbers of `temporal.api.enums.v1.IndexedValueType`. */
const indexedValueTypes = { Keyword: 2, KeywordList: 7 } as const;
type IndexedValueTypeName = keyof typeof indexedValueTypes;

/** The type of every search attribute vapora sets. */
export const searchAttributeTypes: Readonly<Record<string, IndexedValueTypeName>> = Object.fromEntries(
  Object.values(searchAttributes).map((name) => [name, name === searchAttributes.blockedOn ? 'KeywordList' : 'Keyword']),
);

export interface EnsureSearchAttributesOptions {
  /** How long to wait until the server knows them. */
  timeoutMs?: number;
}

/**
 * Registers vapora's search attributes in a namespace and waits until queries may use them: an unregistered one fails
 * every workflow task. May be called any number of times, by several processes at once.
 * Resolves to the names that were missing. Rejects with `not_registered` and the command to run if the server refuses,
 * or one has another type already.
 */
export async function ensureSearchAttributes(
  connection: Pick<Connection, 'operatorService' | 'workflowService'>,
  namespace: string,
  { timeoutMs = 30_000 }: EnsureSearchAttributesOptions = {},
): Promise<string[]> {
  const registered = await listRegistered(connection, namespace);
  const clashing = Object.entries(searchAttributeTypes).filter(
    ([name, type]) => registered[name] !== undefined && registered[name] !== indexedValueTypes[type],
  );
  if (clashing.length > 0) {
    throw new AppError(
      'not_registered',
      `search attributes of namespace ${namespace} have another type: ${clashing.map(([name, type]) => `${name} must be ${type}`).join(', ')}`,
      {
        hint: `remove them (temporal operator search-attribute remove), then: ${registerCommand(
          namespace,
          clashing.map(([name]) => name),
        )}`,
      },
    );
  }
  const missing = Object.keys(searchAttributeTypes).filter((name) => registered[name] === undefined);
  if (missing.length > 0) await register(connection, namespace, missing);
  await waitUntilUsable(connection, namespace, timeoutMs);
  return missing;
}

/** The `temporal` command that does the same, for those whose permissions differ. */
export function registerCommand(namespace: string, names: readonly string[] = Object.keys(searchAttributeTypes)): string {
  const flags = names.map((name) => `--name ${name} --type ${searchAttributeTypes[name] ?? 'Keyword'}`).join(' ');
  return `temporal operator search-attribute create --namespace ${namespace} ${flags}`;
}

type ConnectionServices = Pick<Connection, 'operatorService' | 'workflowService'>;

async function listRegistered({ operatorService }: ConnectionServices, namespace: string): Promise<Record<string, number>> {
  try {
    const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
    return customAttributes ?? {};
  } catch (cause) {
    throw notRegistered(namespace, 'cannot be listed', cause);
  }
}

async function register({ operatorService }: ConnectionServices, namespace: string, names: string[]): Promise<void> {
  const types = Object.fromEntries(names.map((name) => [name, indexedValueTypes[searchAttributeTypes[name] ?? 'Keyword']]));
  try {
    await operatorService.addSearchAttributes({ namespace, searchAttributes: types });
  } catch (cause) {
    // Somebody else may have done it between our look and our call.
    if (!/already exists/i.test(describeCause(cause))) throw notRegistered(namespace, 'cannot be registered', cause);
  }
}

/** The servers behind one address learn of new attributes at different moments, so visible is what a query accepts. */
async function waitUntilUsable({ workflowService }: ConnectionServices, namespace: string, timeoutMs: number): Promise<void> {
  const query = Object.keys(searchAttributeTypes)
    .map((name) => `${name} = 'x'`)
    .join(' OR ');
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    try {
      await workflowService.listWorkflowExecutions({ namespace, query, pageSize: 1 });
      return;
    } catch (cause) {
      if (Date.now() > deadline) throw notRegistered(namespace, `are not usable after ${timeoutMs / 1000} s`, cause);
    }
    await delay(100);
  }
}

function notRegistered(namespace: string, what: string, cause: unknown): AppError {
  return new AppError('not_registered', `search attributes of namespace ${namespace} ${what}: ${describeCause(cause)}`, {
    hint: `ask somebody who may to run: ${registerCommand(namespace)}`,
    cause,
  });
}

/** gRPC errors carry the server's words in `details`; their message begins with a status code. */
function describeCause(cause: unknown): string {
  const { details, message } = cause as { details?: unknown; message?: unknown };
  return typeof details === 'string' && details !== '' ? details : String(message);
}
