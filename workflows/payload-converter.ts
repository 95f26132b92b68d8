import type { PayloadConverter } from '@temporalio/common';
import { defaultPayloadConverter } from '@temporalio/common';
import type { Undecodable } from '../core/contract/names';

/** Far beyond what people write, far below what a recursive function (JSON.stringify is one) and Postgres can take. */
const maxDepth = 200;

/**
 * Anyone who may signal a workflow may send bytes that do not decode. The default converter throws, and an exception while a
 * workflow task is being activated wedges the run for good. This one never throws: what it cannot decode becomes
 * `{undecodable: reason}`, and the handler records the signal as ignored. JSON that nests too deep counts as such: it can be read
 * but not written again, so the exception would only come later.
 */
export const payloadConverter: PayloadConverter = {
  toPayload: (value, ...rest) => defaultPayloadConverter.toPayload(value, ...rest),
  fromPayload<T>(...[payload, ...rest]: Parameters<PayloadConverter['fromPayload']>): T {
    try {
      const value: unknown = defaultPayloadConverter.fromPayload(payload, ...rest);
      // A nest takes two bytes a level: most payloads need not be looked through.
      const mayBeDeep = (payload.data?.length ?? 0) > 2 * maxDepth;
      return (mayBeDeep && isDeeperThan(value, maxDepth) ? undecodable(`it nests deeper than ${maxDepth} levels`) : value) as T;
    } catch (error) {
      return undecodable(error instanceof Error ? error.message : String(error)) as T;
    }
  },
};

function undecodable(reason: string): Undecodable {
  return { undecodable: reason };
}

/** Level by level, because recursion is what such a value breaks. */
function isDeeperThan(value: unknown, limit: number): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > limit) return true;
    level = level.flatMap(childrenOf);
  }
  return false;
}

function childrenOf(value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return [];
  return Object.values(value as Record<string, unknown>).filter((child) => typeof child === 'object' && child !== null);
}
