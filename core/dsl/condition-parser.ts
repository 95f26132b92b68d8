import { childrenOf } from '../plan/condition-children';
import { type Condition, predicates, type Predicate, quantifiers, type Quantifier } from '../plan/condition';
import { ConditionLexer, ConditionSyntaxError, type Lexeme } from './condition-lexer';
import { limits } from './limits';

/** Where in the condition's text a node stands: for diagnostics, never in the plan. */
export type ConditionPlaces = Map<Condition, { start: number; end: number }>;

export type ParsedCondition =
  { ok: true; condition: Condition; places: ConditionPlaces } | { ok: false; message: string; hint?: string; start: number; end: number };

/** Text to AST, by a Pratt parser with limits on nesting and size. Names are resolved by core/dsl/checks. */
export function parseCondition(text: string): ParsedCondition {
  const parser = new ConditionParser(text);
  try {
    return { ok: true, condition: parser.parse(), places: parser.places };
  } catch (error) {
    if (!(error instanceof ConditionSyntaxError)) throw error;
    const { message, hint, start, end } = error;
    return { ok: false, message, ...(hint === undefined ? {} : { hint }), start, end };
  }
}

type BinaryOperator = 'and' | 'or' | '==' | '!=' | '<' | '<=' | '>' | '>=' | 'in' | '+' | '-' | '*' | '/';
const bindingPowers: Readonly<Record<BinaryOperator, number>> = {
  or: 1,
  and: 2,
  '==': 4,
  '!=': 4,
  '<': 4,
  '<=': 4,
  '>': 4,
  '>=': 4,
  in: 4,
  '+': 5,
  '-': 5,
  '*': 6,
  '/': 6,
};
const notPower = 3;
const comparisonPower = 4;
const negatePower = 7;

const binaryOperators: ReadonlyMap<string, BinaryOperator> = new Map([
  ...(Object.keys(bindingPowers) as BinaryOperator[]).map((operator) => [operator, operator] as const),
  ['&&', 'and'],
  ['||', 'or'],
]);

class ConditionParser {
  readonly places: ConditionPlaces = new Map();
  readonly #lexer: ConditionLexer;
  readonly #heights = new Map<Condition, number>();
  #depth = 0;
  #nodes = 0;

  constructor(text: string) {
    this.#lexer = new ConditionLexer(text);
  }

  parse(): Condition {
    if (this.#lexer.peek().kind === 'end') throw new ConditionSyntaxError('the condition is empty', this.#lexer.peek());
    const condition = this.#expression(0);
    const rest = this.#lexer.peek();
    if (rest.kind !== 'end') throw unexpected(rest);
    return condition;
  }

  #expression(minimumPower: number): Condition {
    let left = this.#prefix();
    for (;;) {
      const token = this.#lexer.peek();
      const operator = token.kind === 'operator' || token.kind === 'name' ? binaryOperators.get(token.text) : undefined;
      if (operator === undefined) return left;
      const power = bindingPowers[operator];
      if (power <= minimumPower) {
        // `a < b < c`: comparisons do not chain.
        if (power === comparisonPower && minimumPower === comparisonPower) {
          throw new ConditionSyntaxError('comparisons do not chain', token, 'join two comparisons with `and`');
        }
        return left;
      }
      this.#lexer.next();
      this.#enter(token);
      const right = this.#expression(power);
      this.#leave();
      left = this.#join(operator, left, right, token);
    }
  }

  #join(operator: BinaryOperator, left: Condition, right: Condition, token: Lexeme): Condition {
    const start = this.places.get(left)?.start ?? token.start;
    const end = this.places.get(right)?.end ?? token.end;
    if (operator !== 'and' && operator !== 'or') return this.#node({ op: operator, left, right }, start, end);
    // A chain of one operator is one node, so that long conditions stay shallow.
    if (left.op === operator) {
      left.args.push(right);
      this.places.set(left, { start, end });
      this.#heights.set(left, Math.max(this.#heights.get(left) ?? 0, 1 + (this.#heights.get(right) ?? 0)));
      return left;
    }
    return this.#node({ op: operator, args: [left, right] }, start, end);
  }

  #prefix(): Condition {
    const token = this.#lexer.next();
    switch (token.kind) {
      case 'number':
        return this.#node(
          { op: 'literal', value: token.value, ...(token.unit === undefined ? {} : { unit: token.unit }) },
          token.start,
          token.end,
        );
      case 'string':
        return this.#node({ op: 'literal', value: token.value }, token.start, token.end);
      case 'name':
        return this.#name(token);
      case 'operator':
        if (token.text === '(') return this.#parenthesis(token);
        if (token.text === '[') return this.#list(token, ']');
        if (token.text === '!') return this.#unary('not', token);
        if (token.text === '-') return this.#unary('negate', token);
        throw unexpected(token);
      case 'end':
        throw new ConditionSyntaxError('the condition ends too early', token);
    }
  }

  #unary(operator: 'not' | 'negate', token: Lexeme): Condition {
    this.#enter(token);
    // `!` binds tightly, the word `not` takes a whole comparison, as in Python.
    const power = operator === 'negate' || token.text === '!' ? negatePower : notPower;
    const arg = this.#expression(power);
    this.#leave();
    return this.#node({ op: operator, arg }, token.start, this.places.get(arg)?.end ?? token.end);
  }

  #parenthesis(open: Lexeme): Condition {
    this.#enter(open);
    const inner = this.#expression(0);
    if (this.#lexer.peek().text === ',' && this.#lexer.peek().kind === 'operator') {
      this.#leave();
      return this.#listRest([inner], open, ')');
    }
    this.#expect(')');
    this.#leave();
    return inner;
  }

  #list(open: Lexeme, close: string): Condition {
    if (this.#isNext(close)) {
      const end = this.#lexer.next();
      return this.#node({ op: 'list', items: [] }, open.start, end.end);
    }
    this.#enter(open);
    const first = this.#expression(0);
    this.#leave();
    return this.#listRest([first], open, close);
  }

  #listRest(items: Condition[], open: Lexeme, close: string): Condition {
    this.#enter(open);
    while (this.#isNext(',')) {
      this.#lexer.next();
      if (this.#isNext(close)) break;
      items.push(this.#expression(0));
    }
    const end = this.#expect(close);
    this.#leave();
    return this.#node({ op: 'list', items }, open.start, end.end);
  }

  #name(token: Lexeme): Condition {
    const name = token.text;
    const { start } = token;
    if (name === 'true' || name === 'false') return this.#node({ op: 'literal', value: name === 'true' }, start, token.end);
    if (name === 'not') return this.#unary('not', token);
    if (binaryOperators.has(name)) throw unexpected(token);
    if (name === 'steps' && (this.#isNext('.') || this.#isNext('['))) return this.#stepMetric(start);
    if (name === 'inputs' && (this.#isNext('.') || this.#isNext('['))) {
      const input = this.#member('an input', 'inputs["full-run"]');
      return this.#node({ op: 'input', name: input.text }, start, input.end);
    }
    if (this.#isNext('(')) return this.#call(token);
    if ((quantifiers as readonly string[]).includes(name)) {
      return this.#node({ op: 'quantifier', name: name as Quantifier }, start, token.end);
    }
    return this.#node({ op: 'metric', name }, start, token.end);
  }

  #stepMetric(start: number): Condition {
    const step = this.#member('a step', 'steps["code-review"].coverage');
    this.#expect('.');
    const metric = this.#lexer.nextId();
    return this.#node({ op: 'stepMetric', step: step.text, name: metric.text }, start, metric.end);
  }

  /** `.name`, or `["any name"]` for one that is no plain name. */
  #member(what: string, example: string): { text: string; end: number } {
    if (this.#lexer.next().text === '.') return this.#lexer.nextId();
    const quoted = this.#lexer.next();
    if (quoted.kind !== 'string')
      throw new ConditionSyntaxError(`the quoted name of ${what} is expected here`, quoted, `like \`${example}\``);
    return { text: quoted.value, end: this.#expect(']').end };
  }

  #call(token: Lexeme): Condition {
    const name = token.text;
    this.#lexer.next();
    const argument = this.#lexer.peekIsString() ? stringOf(this.#lexer.next()) : this.#lexer.nextId();
    const close = this.#lexer.next();
    if (close.text !== ')' || close.kind !== 'operator') {
      throw new ConditionSyntaxError(
        '`)` is expected here',
        close,
        'an id that is not a plain name is quoted, like `passed("code-review")`',
      );
    }
    const { start } = token;
    const { end } = close;
    if (name === 'count') {
      const of = argument.text;
      if (!isPredicate(of)) throw new ConditionSyntaxError('count takes passed, approved, failed or skipped', argument);
      return this.#node({ op: 'count', of }, start, end);
    }
    if (name === 'sum' || name === 'avg' || name === 'min' || name === 'max') {
      return this.#node({ op: 'aggregate', fn: name, metric: argument.text }, start, end);
    }
    if (isPredicate(name)) return this.#node({ op: 'predicate', name, target: argument.text }, start, end);
    throw new ConditionSyntaxError(
      `there is no function \`${name}\``,
      token,
      'functions: passed, approved, failed, skipped, count, sum, avg, min, max',
    );
  }

  #node<T extends Condition>(node: T, start: number, end: number): T {
    this.#nodes += 1;
    if (this.#nodes > limits.conditionNodes) {
      throw new ConditionSyntaxError(`the condition has more than ${limits.conditionNodes} parts`, { start, end });
    }
    this.places.set(node, { start, end });
    // Long chains of `+` or `*` lean to the left without nesting in the text; whoever walks the AST recurses all the same.
    const height = 1 + childrenOf(node).reduce((most, child) => Math.max(most, this.#heights.get(child) ?? 0), 0);
    this.#heights.set(node, height);
    if (height > limits.conditionDepth + 1) throw tooDeep({ start, end });
    return node;
  }

  #enter(token: Lexeme): void {
    this.#depth += 1;
    if (this.#depth > limits.conditionDepth) throw tooDeep(token);
  }

  #leave(): void {
    this.#depth -= 1;
  }

  #isNext(text: string): boolean {
    const token = this.#lexer.peek();
    return token.kind === 'operator' && token.text === text;
  }

  #expect(text: string): Lexeme {
    const token = this.#lexer.next();
    if (token.kind !== 'operator' || token.text !== text) throw new ConditionSyntaxError(`\`${text}\` is expected here`, token);
    return token;
  }
}

function tooDeep(at: { start: number; end: number }): ConditionSyntaxError {
  return new ConditionSyntaxError(`the condition is nested deeper than ${limits.conditionDepth} levels`, at);
}

function isPredicate(name: string): name is Predicate {
  return (predicates as readonly string[]).includes(name);
}

function stringOf(token: Lexeme): { text: string; start: number; end: number } {
  return { text: token.kind === 'string' ? token.value : token.text, start: token.start, end: token.end };
}

function unexpected(token: Lexeme): ConditionSyntaxError {
  if (token.kind === 'end') return new ConditionSyntaxError('the condition ends too early', token);
  const hint =
    token.text === '='
      ? 'compare with `==`'
      : token.text === '&'
        ? 'write `&&` or `and`'
        : token.text === '|'
          ? 'write `||` or `or`'
          : undefined;
  return new ConditionSyntaxError(`\`${token.text.slice(0, 40)}\` is not expected here`, token, hint);
}
