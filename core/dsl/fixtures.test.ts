import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expectGolden, layOutJson } from '../../test/support/golden';
import { stringify } from 'smol-toml';
import { canonicalPlanText } from '../plan/canonical';
import type { Diagnostic } from '../plan/diagnostic';
import { diagnosticCodes } from './codes';
import { type CompileOptions, type CompileResult, compileWorkflow } from './compile';
import { toPlainValue } from './document';
import { keySpecs } from './keys';
import { readDocument } from './read/document';

const fixtures = path.join(__dirname, '../../test/fixtures/workflows');

interface Fixture extends CompileResult {
  expected: string[];
  found: string[];
}

/**
 * Comments at the end of a fixture say what is to be found in it, and with which registry:
 *
 *     # expect <severity> <code> <line>:<column> see <line>:<column>…
 *     # expect <n> times <severity> <code>
 *     # with roles developer, tester
 *     # with agents developer-001
 */
function compileFixture(folder: string, file: string): Fixture {
  const text = readFileSync(path.join(fixtures, folder, file), 'utf8');
  const said = (what: string): string[] => [...text.matchAll(new RegExp(`^# ${what} (.+)$`, 'gmu'))].map((match) => match[1] ?? '');
  const namesOf = (what: string): string[] | undefined => said(what)[0]?.split(', ');
  const options: CompileOptions = { fileName: file, roles: namesOf('with roles'), agentIds: namesOf('with agents') };
  const result = compileWorkflow(text.replace(/^# (expect|with) .+\n?/gmu, ''), options);
  return { ...result, expected: said('expect'), found: describeAll(result.diagnostics) };
}

/** What is not built yet changes from one version to the next: it has a test of its own. */
function describeAll(diagnostics: readonly Diagnostic[]): string[] {
  const relevant = diagnostics.filter(({ code }) => code !== 'not_built_yet');
  const counts = new Map<string, number>();
  for (const { severity, code } of relevant) counts.set(`${severity} ${code}`, (counts.get(`${severity} ${code}`) ?? 0) + 1);
  const lines = relevant.map(({ severity, code, range, related = [] }) => {
    const name = `${severity} ${code}`;
    const count = counts.get(name) ?? 0;
    if (count > 20) return `${count} times ${name}`;
    const see = related.map(({ range: { line, column } }) => ` ${line}:${column}`).join('');
    return `${name} ${range.line}:${range.column}${see === '' ? '' : ` see${see}`}`;
  });
  return [...new Set(lines)];
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).flatMap(([key, item]) => (item === null ? [] : [[key, withoutNulls(item)]])));
}

const invalid = readdirSync(path.join(fixtures, 'invalid'));
const valid = readdirSync(path.join(fixtures, 'valid'));

test.each(invalid)('%s is refused or warned of', (file) => {
  const { expected, found, plan, diagnostics } = compileFixture('invalid', file);
  expect(found).toEqual(expected);
  expect(found.some((line) => /^(\d+ times )?(error|warning)/u.test(line))).toBe(true);
  expect(plan === null).toBe(diagnostics.some(({ severity }) => severity === 'error'));
});

/** Written anew by `UPDATE_GOLDEN=1 npx jest core/dsl/fixtures`. */
test.each(valid)('%s has its plan', (file) => {
  const { expected, found, plan } = compileFixture('valid', file);
  expect(found).toEqual(expected);
  expect(found.filter((line) => !line.startsWith('info'))).toEqual([]);
  if (plan === null) throw new Error('no plan');
  const canonical: unknown = JSON.parse(canonicalPlanText(plan));
  expectGolden(path.join(fixtures, 'plans', `${file}.json`), `${layOutJson(canonical)}\n`);
});

/** Ids that look like integers come first in a JavaScript object, and TOML has no null: nothing to do with the language. */
const withoutCounterpart = ['ids-of-any-script.yaml'];

test.each(valid.filter((file) => file.endsWith('.yaml') && !withoutCounterpart.includes(file)))('%s means the same in TOML', (file) => {
  const { root } = readDocument(readFileSync(path.join(fixtures, 'valid', file)), { fileName: file });
  if (root === null) throw new Error('cannot be read');
  const written = withoutNulls(toPlainValue(root));
  const asToml = compileWorkflow(stringify(written), { format: 'toml' });
  const asYaml = compileWorkflow(JSON.stringify(written), { format: 'yaml' });
  expect(asToml.plan).not.toBeNull();
  expect(asToml.plan).toEqual(asYaml.plan);
});

test.each([
  ['valid', valid],
  ['invalid', invalid],
] as const)('a BOM and CRLF change nothing in %s files', (folder, files) => {
  for (const file of files) {
    const text = readFileSync(path.join(fixtures, folder, file), 'utf8');
    const other = compileWorkflow(`\ufeff${text.replaceAll('\n', '\r\n')}`, { fileName: file });
    const { plan, diagnostics } = compileWorkflow(text, { fileName: file });
    expect({ file, plan: other.plan, found: describeAll(other.diagnostics) }).toEqual({ file, plan, found: describeAll(diagnostics) });
  }
});

test('no plan is left of a fixture that is gone', () => {
  expect(readdirSync(path.join(fixtures, 'plans'))).toEqual(valid.map((file) => `${file}.json`).sort());
});

test('every mistake comes with its remedy', () => {
  const without = invalid.flatMap((file) =>
    compileFixture('invalid', file)
      .diagnostics.filter(({ hint, code, severity }) => hint === undefined && code !== 'bad_value' && severity !== 'info')
      .map(({ code, message }) => `${file}: ${code}: ${message}`),
  );
  expect(without).toEqual([]);
});

test('every diagnostic code has a fixture', () => {
  const shown = new Set([
    ...invalid.flatMap((file) => compileFixture('invalid', file).diagnostics.map(({ code }) => code)),
    ...valid.flatMap((file) => compileFixture('valid', file).diagnostics.map(({ code }) => code)),
  ]);
  // There will be a version in which all is built.
  const unshown = Object.keys(diagnosticCodes).filter((code) => !shown.has(code) && code !== 'not_built_yet');
  expect(unshown).toEqual([]);
});

test('what is not built yet says so, and nothing else does', () => {
  const unbuilt = keySpecs.flatMap(({ name, built }) => (built ? [] : [name]));
  const said = new Set(
    valid.flatMap((file) =>
      compileFixture('valid', file)
        .diagnostics.filter(({ code }) => code === 'not_built_yet')
        .map(({ message }) => /^`([^`]+)`/u.exec(message)?.[1] ?? ''),
    ),
  );
  expect([...said].sort()).toEqual([...new Set(unbuilt)].sort());
});
