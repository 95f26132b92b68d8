import type { Condition } from '../../plan/condition';
import type { PlanStep } from '../../plan/types';
import type { DocumentPath, Span } from '../document';
import type { ConditionUse, DraftStep } from '../draft';
import { type FieldReader, readCondition, type WrittenCondition } from '../fields';

type GatePlan = Pick<PlanStep, 'count' | 'mustPassCount' | 'mustPassAll' | 'canBlockMerge' | 'canBlockDeployment'> &
  Partial<Pick<PlanStep, 'mustPassIsExplicit' | 'requires' | 'requiresText' | 'gate' | 'gateText' | 'if' | 'ifText'>>;

export interface ReadGates {
  plan: GatePlan;
  draft: Pick<DraftStep, 'security'>;
  conditions: ConditionUse[];
}

const criticalVulns: Condition = { op: '==', left: { op: 'metric', name: 'critical_vulns' }, right: { op: 'literal', value: 0 } };
const highVulns: Condition = {
  op: 'or',
  args: [
    { op: '==', left: { op: 'metric', name: 'high_vulns' }, right: { op: 'literal', value: 0 } },
    { op: 'metric', name: 'mitigated' },
  ],
};

/** What must hold before a step starts and for it to pass. */
export function readGates(reader: FieldReader): ReadGates {
  const conditions: ConditionUse[] = [];
  const requires = reader.condition('requires');
  if (requires !== undefined) conditions.push({ written: requires, purpose: 'requires' });
  const onlyIf = reader.condition('if');
  if (onlyIf !== undefined) conditions.push({ written: onlyIf, purpose: 'if' });

  const mustPass = readMustPass(reader);
  const written = [mustPass.condition, reader.condition('gate')].filter((condition) => condition !== undefined);
  for (const condition of written) conditions.push({ written: condition, purpose: 'gate' });
  const blocksMerge = reader.boolean('critical_vulns_block_merge') === true;
  const parts = written.map(({ condition, text }) => ({ condition, text }));
  if (blocksMerge) parts.push({ condition: copyOf(criticalVulns), text: 'critical_vulns == 0' });
  if (reader.boolean('high_vulns_require_mitigation') === true) {
    parts.push({ condition: copyOf(highVulns), text: 'high_vulns == 0 or mitigated' });
  }
  const gate = joinConditions(parts);
  const security = readSecurity(reader);

  const { count, mustPassCount } = readCounts(reader, mustPass.count);
  const plan: GatePlan = {
    count,
    mustPassCount,
    mustPassAll: mustPass.all,
    canBlockMerge: reader.boolean('can_block_merge') ?? blocksMerge,
    canBlockDeployment: reader.boolean('can_block_deployment') ?? false,
  };
  if (mustPass.count !== undefined) plan.mustPassIsExplicit = true;
  if (requires !== undefined) Object.assign(plan, { requires: requires.condition, requiresText: requires.text });
  if (gate !== undefined) Object.assign(plan, { gate: gate.condition, gateText: gate.text });
  if (onlyIf !== undefined) Object.assign(plan, { if: onlyIf.condition, ifText: onlyIf.text });
  return { plan, draft: security === undefined ? {} : { security }, conditions };
}

/** All of them: one `and`, its parts in parentheses where they hold an `or`. */
function joinConditions(parts: { condition: Condition; text: string }[]): { condition: Condition; text: string } | undefined {
  const [first] = parts;
  if (first === undefined || parts.length === 1) return first;
  return {
    condition: { op: 'and', args: parts.flatMap(({ condition }) => (condition.op === 'and' ? condition.args : [condition])) },
    text: parts.map(({ condition, text }) => (condition.op === 'or' ? `(${text})` : text)).join(' and '),
  };
}

/** A constant is shared by all steps; the plan is a tree of its own. */
function copyOf(condition: Condition): Condition {
  return JSON.parse(JSON.stringify(condition)) as Condition;
}

interface MustPass {
  all: boolean;
  count?: number;
  condition?: WrittenCondition;
}

/** A number of approvals, `all`, or a condition. */
function readMustPass(reader: FieldReader): MustPass {
  const field = reader.present('must_pass');
  if (field === undefined) return { all: false };
  const { node } = field;
  if (node.kind === 'scalar' && typeof node.value === 'number') {
    const count = reader.integer('must_pass', { min: 1, max: 1_000 });
    return { all: false, ...(count === undefined ? {} : { count }) };
  }
  if (node.kind === 'scalar' && node.text.trim().toLowerCase() === 'all') return { all: true };
  const condition = readCondition(reader.context, node, field.path);
  return { all: false, ...(condition === undefined ? {} : { condition }) };
}

function readCounts(reader: FieldReader, mustPass: number | undefined): Pick<PlanStep, 'count' | 'mustPassCount'> {
  const written = reader.integer('count', { min: 1, max: 1_000 });
  const count = written ?? mustPass ?? 1;
  if (mustPass !== undefined && mustPass > count) {
    const field = reader.fields.get('must_pass');
    reader.context.sink.report({
      code: 'contradiction',
      message: `${mustPass} of ${count} agents can never approve`,
      hint: 'raise `count`, or lower `must_pass`',
      path: field?.path ?? [],
      span: field?.node.span ?? reader.fields.span,
    });
  }
  return { count, mustPassCount: Math.min(mustPass ?? count, count) };
}

/** `security_required: true`, or the steps it means. */
function readSecurity(reader: FieldReader): DraftStep['security'] {
  const field = reader.present('security_required');
  if (field === undefined) return undefined;
  const { node } = field;
  const place: { span: Span; path: DocumentPath } = { span: node.span, path: field.path };
  if (node.kind === 'scalar' && typeof node.value === 'boolean') return node.value ? { ...place, named: [] } : undefined;
  const named = reader.words('security_required');
  return named === undefined || named.length === 0 ? undefined : { ...place, named };
}
