import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { diagnosticCodes } from './codes';
import { compileWorkflow } from './compile';

const fixtures = path.join(__dirname, '../../test/fixtures/workflows');

/** Lines `# expect <severity> <code> <line>:<column>` at the end of a fixture are all that may be found in it. */
function expectationsOf(text: string): string[] {
  return [...text.matchAll(/^# expect (.+)$/gmu)].map((match) => match[1] ?? '');
}

function compileFixture(folder: string, file: string): { found: string[]; expected: string[]; hasPlan: boolean } {
  const text = readFileSync(path.join(fixtures, folder, file), 'utf8');
  const { plan, diagnostics } = compileWorkflow(text.replace(/^# expect .+\n?/gmu, ''), { fileName: file });
  const found = diagnostics.map(({ severity, code, range }) => `${severity} ${code} ${range.line}:${range.column}`);
  return { found, expected: expectationsOf(text), hasPlan: plan !== null };
}

describe.each(['valid', 'invalid'])('%s workflows', (folder) => {
  test.each(readdirSync(path.join(fixtures, folder)))('%s', (file) => {
    const { found, expected, hasPlan } = compileFixture(folder, file);
    expect(found).toEqual(expected);
    expect(hasPlan).toBe(!found.some((line) => line.startsWith('error')));
    if (folder === 'valid') expect(found.filter((line) => !line.startsWith('info'))).toEqual([]);
    else expect(found.filter((line) => !line.startsWith('info'))).not.toEqual([]);
  });
});

/** Codes whose cause no text file of reasonable size shows. */
const shownElsewhere = ['encoding', 'too_large', 'too_many_diagnostics', 'snapshot_key', 'unknown_role', 'implied_approval'];

test('every diagnostic code has a fixture', () => {
  const shown = new Set(
    ['valid', 'invalid'].flatMap((folder) =>
      readdirSync(path.join(fixtures, folder)).flatMap((file) => compileFixture(folder, file).expected.map((line) => line.split(' ')[1])),
    ),
  );
  const missing = Object.keys(diagnosticCodes).filter((code) => !shown.has(code) && !shownElsewhere.includes(code));
  expect(missing).toEqual([]);
});
