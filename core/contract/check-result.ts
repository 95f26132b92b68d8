import type { AgentResult } from './agent-document';
import { verdicts } from './states';

const maxNameLength = 100;
const maxUnitLength = 20;
const maxQuoteLength = 80;
const artifactPattern = /^sha256:[0-9a-f]{64}$/;

/** What does not fit the result contract, as a sentence, or undefined. Without a schema library: workflows run it. */
export function resultProblem(value: unknown): string | undefined {
  if (!isObject(value)) return `${quote(value)} instead of a result object`;
  if (value['status'] !== 'success' && value['status'] !== 'failure') {
    return `a result without a "status" of success or failure (got ${quote(value['status'])})`;
  }
  for (const [key, problemOf] of Object.entries(fieldChecks)) {
    const problem = value[key] === undefined ? undefined : problemOf(value[key], key);
    if (problem !== undefined) return `a result that does not fit: ${problem}`;
  }
  return undefined;
}

/** Whether what came from outside is a result of an agent. */
export function isResult(value: unknown): value is AgentResult {
  return resultProblem(value) === undefined;
}

type Check = (value: unknown, place: string) => string | undefined;

const text: Check = (value, place) => (typeof value === 'string' ? undefined : expected('text', value, place));
const texts: Check = (value, place) => {
  if (!Array.isArray(value)) return expected('a list of texts', value, place);
  return firstOf(value.map((item, index) => text(item, `${place}.${index}`)));
};
const verdict: Check = (value, place) =>
  (verdicts as readonly unknown[]).includes(value) ? undefined : expected(`one of ${verdicts.join(', ')}`, value, place);
const count: Check = (value, place) => (isNumber(value) && value >= 0 ? undefined : expected('a number of at least 0', value, place));

const output: Check = (value, place) => {
  if (typeof value === 'string') return undefined;
  if (isObject(value)) {
    const { artifact, path, mediaType, sizeBytes } = value;
    if (artifact === undefined && typeof path === 'string' && path !== '') return undefined;
    const isArtifact = typeof artifact === 'string' && artifactPattern.test(artifact);
    const isDescribed = (mediaType === undefined || typeof mediaType === 'string') && (sizeBytes === undefined || isNumber(sizeBytes));
    if (isArtifact && isDescribed) return undefined;
  }
  return expected('text or {"artifact": "sha256:<64 hex digits>"}', value, place);
};

const metric: Check = (value, place) => {
  if (typeof value === 'boolean' || isNumber(value)) return undefined;
  if (isObject(value)) {
    const { value: amount, unit } = value;
    if (isNumber(amount) && typeof unit === 'string' && unit.length <= maxUnitLength) return undefined;
  }
  return expected('a number, true, false or {"value": <number>, "unit": "<unit>"}', value, place);
};

const namedBy =
  (check: Check): Check =>
  (value, place) => {
    if (!isObject(value)) return expected('an object', value, place);
    return firstOf(
      Object.entries(value).map(([name, item]) =>
        name === '' || name.length > maxNameLength
          ? `${place}: a name has 1 to ${maxNameLength} characters, not ${name.length}`
          : check(item, `${place}.${name}`),
      ),
    );
  };

const cost: Check = (value, place) => {
  if (!isObject(value)) return expected('an object', value, place);
  return firstOf(
    ['usd', 'tokens_in', 'tokens_out'].map((key) => (value[key] === undefined ? undefined : count(value[key], `${place}.${key}`))),
  );
};

const fieldChecks: Record<Exclude<keyof AgentResult, 'status'>, Check> = {
  verdict,
  summary: text,
  reasons: texts,
  risks: texts,
  outputs: namedBy(output),
  metrics: namedBy(metric),
  cost,
};

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function firstOf(problems: readonly (string | undefined)[]): string | undefined {
  return problems.find((problem) => problem !== undefined);
}

function expected(what: string, value: unknown, place: string): string {
  return `${place}: expected ${what}, got ${quote(value)}`;
}

function quote(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (ArrayBuffer.isView(value)) return 'bytes';
  const written = JSON.stringify(value) ?? typeof value;
  return written.length > maxQuoteLength ? `${written.slice(0, maxQuoteLength)}…` : written;
}
