import { isUndecodable } from '../core/contract/names';
import type { StartInput } from '../core/contract/start-input';
import type { Parsed } from './message-fields';

type Check = (value: unknown) => string | undefined;

const isText: Check = (value) => (typeof value === 'string' ? undefined : 'must be text');
const isFormat: Check = (value) => (value === 'yaml' || value === 'toml' ? undefined : 'must be "yaml" or "toml"');
const isRecord: Check = (value) => (typeof value === 'object' && value !== null && !Array.isArray(value) ? undefined : 'must be an object');
const isFlag: Check = (value) => (typeof value === 'boolean' ? undefined : 'must be true or false');

const checks: Record<keyof StartInput, Check> = {
  version: (value) => (Number.isInteger(value) && (value as number) >= 1 ? undefined : 'must be a whole number from 1'),
  planHash: isText,
  source: isText,
  format: isFormat,
  inputs: isRecord,
  initiator: isText,
  timeScale: (value) =>
    typeof value === 'number' && value >= 1 && value <= 1_000_000 ? undefined : 'must be a number from 1 to 1,000,000',
  seed: isText,
  agents(value) {
    if (Array.isArray(value)) return value.every((id) => typeof id === 'string') ? undefined : 'must be a list of agent ids';
    if (isRecord(value)) return 'must be {"source": "<the agents file>"} or a list of agent ids';
    const { source, format, folder } = value as { source?: unknown; format?: unknown; folder?: unknown };
    if (typeof source !== 'string') return '"source" must be the text of an agents file';
    if (folder !== undefined && typeof folder !== 'string') return '"folder" must be the path of a folder';
    return format === undefined ? undefined : isFormat(format);
  },
  autoApprove: isFlag,
  strict: isFlag,
  token: isText,
  recording: (value) => (value === 'full' || value === 'none' ? undefined : 'must be "full" or "none"'),
};

/** The one optional JSON object a run starts with; anybody's `temporal workflow start` may have sent anything. */
export function parseStartInput(args: readonly unknown[]): Parsed<StartInput> {
  const [input] = args;
  if (args.length > 1) return { ok: false, reason: `the start input must be one JSON object, not ${args.length} arguments` };
  if (input === undefined || input === null) return { ok: true, value: {} };
  if (isUndecodable(input)) return { ok: false, reason: `the start input cannot be decoded: ${input.undecodable}` };
  if (typeof input !== 'object' || Array.isArray(input) || ArrayBuffer.isView(input)) {
    return { ok: false, reason: 'the start input must be one JSON object, for example {"version": 1}' };
  }
  for (const [key, value] of Object.entries(input)) {
    if (value === undefined || value === null) continue;
    const check = Object.hasOwn(checks, key) ? checks[key as keyof StartInput] : undefined;
    if (!check) return { ok: false, reason: `the start input has an unknown key "${key}"; known are ${Object.keys(checks).join(', ')}` };
    const problem = check(value);
    if (problem) return { ok: false, reason: `the start input's "${key}" ${problem}` };
  }
  return { ok: true, value: input };
}
