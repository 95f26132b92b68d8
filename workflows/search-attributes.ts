import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import type { SearchAttributeUpdatePair } from '@temporalio/common';
import { upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import { searchAttributes } from '../core/contract/names';

const keys = {
  status: defineSearchAttributeKey(searchAttributes.status, SearchAttributeType.KEYWORD),
  phase: defineSearchAttributeKey(searchAttributes.phase, SearchAttributeType.KEYWORD),
  definition: defineSearchAttributeKey(searchAttributes.definition, SearchAttributeType.KEYWORD),
  planHash: defineSearchAttributeKey(searchAttributes.planHash, SearchAttributeType.KEYWORD),
  blockedOn: defineSearchAttributeKey(searchAttributes.blockedOn, SearchAttributeType.KEYWORD_LIST),
};

const maxBlockedOnIds = 10;
/** The server terminates a run whose value is over 2,048 bytes. */
const maxBlockedOnBytes = 1_500;
/** A Keyword value of more than 255 characters is not indexed. */
const maxKeywordLength = 255;

export interface SearchableFacts {
  status: string;
  phase: string | null;
  definition: string;
  planHash: string;
  blockedOn: string[];
}

/** Upserts only what changed since the last call: every upsert is an event of the history and a write to the visibility store. */
export function createSearchAttributeWriter(): (facts: SearchableFacts) => void {
  const { typedSearchAttributes } = workflowInfo();
  const written = {
    status: typedSearchAttributes.get(keys.status),
    phase: typedSearchAttributes.get(keys.phase),
    definition: typedSearchAttributes.get(keys.definition),
    planHash: typedSearchAttributes.get(keys.planHash),
    blockedOn: (typedSearchAttributes.get(keys.blockedOn) ?? []).join('\n'),
  };
  return (facts) => {
    const updates: SearchAttributeUpdatePair[] = [];
    const put = (name: 'status' | 'phase' | 'definition' | 'planHash', value: string): void => {
      if (written[name] === value) return;
      written[name] = value;
      updates.push({ key: keys[name], value });
    };
    put('status', facts.status);
    if (facts.phase !== null) put('phase', facts.phase.slice(0, maxKeywordLength));
    put('definition', facts.definition);
    put('planHash', facts.planHash);
    const blockedOn = shortenIds(facts.blockedOn);
    if (blockedOn.join('\n') !== written.blockedOn) {
      written.blockedOn = blockedOn.join('\n');
      updates.push({ key: keys.blockedOn, value: blockedOn });
    }
    if (updates.length > 0) upsertSearchAttributes(updates);
  };
}

/** At most 10 ids and 1,500 bytes, then `+n more`. */
export function shortenIds(ids: readonly string[]): string[] {
  const kept: string[] = [];
  let bytes = 0;
  for (const id of ids) {
    // A UTF-16 unit is at most three bytes of UTF-8: a safe bound without an encoder.
    const size = id.length * 3;
    if (kept.length === maxBlockedOnIds || bytes + size > maxBlockedOnBytes) {
      kept.push(`+${ids.length - kept.length} more`);
      break;
    }
    kept.push(id);
    bytes += size;
  }
  return kept;
}
