import { z } from 'zod';
import type { AgentResult } from '../core/contract/agent-document';
import { verdicts } from '../core/contract/states';

/** What a result may weigh without its outputs: it travels in Temporal's history and stands in Postgres. */
const maxResultBytes = 256 * 1024;
const maxReportedProblems = 5;
const maxQuoteLength = 80;

const artifactPattern = /^sha256:[0-9a-f]{64}$/;
/** `91%`, `91.5 %`: what agents that write prose give for a share. */
const percentPattern = /^\s*([+-]?\d{1,15}(?:\.\d{1,15})?)\s*%\s*$/;
const percent = z
  .string()
  .regex(percentPattern)
  .transform((text) => ({ value: Number(percentPattern.exec(text)?.[1]), unit: '%' }));
const oneOf = (values: readonly string[]): string => values.map((value) => JSON.stringify(value)).join(', ');

/** Compiled once: parsing a result costs microseconds. Keys that the contract does not know are dropped. */
const resultSchema = z.object({
  status: z.enum(['success', 'failure'], { error: 'expected "success" or "failure"' }),
  verdict: z.enum(verdicts, { error: `expected one of ${oneOf(verdicts)}` }).optional(),
  summary: z.string({ error: 'expected text' }).optional(),
  reasons: z.array(z.string({ error: 'expected text' }), { error: 'expected a list of texts' }).optional(),
  risks: z.array(z.string({ error: 'expected text' }), { error: 'expected a list of texts' }).optional(),
  outputs: z
    .record(
      z.string().min(1).max(100, { error: 'an output name has at most 100 characters' }),
      z.union(
        [
          z.string(),
          z.strictObject({ path: z.string().min(1) }),
          z.strictObject({
            artifact: z.string().regex(artifactPattern, { error: 'expected "sha256:<64 hex digits>"' }),
            mediaType: z.string().optional(),
            sizeBytes: z.number().optional(),
          }),
        ],
        { error: 'expected text, {"path": "<file>"} or {"artifact": "sha256:<64 hex digits>"}' },
      ),
      { error: 'expected an object {"<name>": text | {"path"} | {"artifact"}}' },
    )
    .optional(),
  metrics: z
    .record(
      z.string().min(1).max(100, { error: 'a metric name has at most 100 characters' }),
      z.union([z.number(), z.boolean(), z.strictObject({ value: z.number(), unit: z.string().max(20) }), percent], {
        error: 'expected a number, true, false or {"value": <number>, "unit": "<unit>"}',
      }),
      { error: 'expected an object {"<name>": number | boolean | {"value", "unit"}}' },
    )
    .optional(),
  cost: z
    .object(
      {
        usd: z.number({ error: 'expected a number' }).nonnegative({ error: 'a cost cannot be negative' }).optional(),
        tokens_in: z.number({ error: 'expected a number' }).nonnegative({ error: 'a count cannot be negative' }).optional(),
        tokens_out: z.number({ error: 'expected a number' }).nonnegative({ error: 'a count cannot be negative' }).optional(),
      },
      { error: 'expected an object {"usd", "tokens_in", "tokens_out"}' },
    )
    .optional(),
});

export type ResultCheck = { ok: true; result: AgentResult; ignoredKeys: string[] } | { ok: false; problem: string };

/** Checks what an agent returned against the contract. The problem says where, what was expected and what stood there. */
export function checkResult(raw: unknown): ResultCheck {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    return { ok: false, problem: `the result must be a JSON object with a "status", not ${quote(raw)}` };
  }
  const parsed = resultSchema.safeParse(raw);
  if (!parsed.success) {
    const { issues } = parsed.error;
    const lines = issues.slice(0, maxReportedProblems).map((issue) => describe(raw, issue.path, issue.message));
    if (issues.length > maxReportedProblems) lines.push(`and ${issues.length - maxReportedProblems} more`);
    return { ok: false, problem: `the result does not fit the contract: ${lines.join('; ')}` };
  }
  const { outputs: _outputs, ...rest } = parsed.data;
  const sizeBytes = Buffer.byteLength(JSON.stringify(rest));
  if (sizeBytes > maxResultBytes) {
    return {
      ok: false,
      problem: `the result without its outputs has ${sizeBytes} bytes, more than ${maxResultBytes}: put long text into an output`,
    };
  }
  const ignoredKeys = Object.keys(raw).filter((key) => !Object.hasOwn(resultSchema.shape, key));
  return { ok: true, result: parsed.data, ignoredKeys };
}

function describe(raw: object, path: PropertyKey[], message: string): string {
  let value: unknown = raw;
  for (const key of path) value = (value as Record<PropertyKey, unknown> | null | undefined)?.[key];
  const got = value === undefined ? 'it is missing' : `got ${quote(value)}`;
  return `${path.map(String).join('.')}: ${message}, ${got}`;
}

function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > maxQuoteLength ? `${text.slice(0, maxQuoteLength)}…` : text;
}
