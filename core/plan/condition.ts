/** The AST of a condition, as it stands in the plan. Produced by core/dsl, evaluated by core/plan/evaluate.ts. */
export type Condition =
  | { op: 'literal'; value: number | string | boolean; unit?: ConditionUnit }
  | { op: 'list'; items: Condition[] }
  /** A bare metric name, looked up in the scope. */
  | { op: 'metric'; name: string }
  /** `steps.<id>.<metric>`. */
  | { op: 'stepMetric'; step: string; name: string }
  | { op: 'input'; name: string }
  | { op: 'quantifier'; name: Quantifier }
  /** `passed(id)`: a step or a phase. */
  | { op: 'predicate'; name: Predicate; target: string }
  /** `count(approved)` over the scope. */
  | { op: 'count'; of: Predicate }
  | { op: 'aggregate'; fn: 'sum' | 'avg' | 'min' | 'max'; metric: string }
  | { op: 'not' | 'negate'; arg: Condition }
  | { op: 'and' | 'or'; args: Condition[] }
  | { op: '==' | '!=' | '<' | '<=' | '>' | '>=' | 'in' | '+' | '-' | '*' | '/'; left: Condition; right: Condition };

/** `percent`: value 85 means 85 %. `ms`: a duration in milliseconds. `usd`: money. */
export type ConditionUnit = 'percent' | 'ms' | 'usd';

export const quantifiers = [
  'all_approved',
  'any_approved',
  'all_passed',
  'any_passed',
  'none_failed',
  'all_tests_pass',
  'all_reviews_approved',
  'any_error',
  'critical_error',
] as const;
export type Quantifier = (typeof quantifiers)[number];

export const predicates = ['passed', 'approved', 'failed', 'skipped'] as const;
export type Predicate = (typeof predicates)[number];
