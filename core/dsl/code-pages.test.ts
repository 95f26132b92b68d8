import path from 'node:path';
import { diagnosticsPage } from '../../test/support/diagnostics-page';
import { expectGolden } from '../../test/support/golden';
import { codePages } from './code-pages';
import { type DiagnosticCode, diagnosticCodes } from './codes';
import { compileWorkflow } from './compile';

const codes = Object.keys(diagnosticCodes) as DiagnosticCode[];

test.each(codes)('the example of %s shows it', (code) => {
  const { example, options = {} } = codePages[code];
  const { diagnostics } = compileWorkflow(example, options);
  expect(diagnostics.map((diagnostic) => diagnostic.code)).toContain(code);
  // Nothing else is wrong with it, but for what a flood of mistakes consists of.
  const others = diagnostics.filter((diagnostic) => diagnostic.code !== code && diagnostic.severity !== 'info');
  if (code !== 'too_many_diagnostics') expect(others).toEqual([]);
});

/** Written anew by `UPDATE_GOLDEN=1 npx jest core/dsl/code-pages`. */
test('docs/diagnostics.md is up to date', () => {
  expectGolden(path.join(__dirname, '../../docs/diagnostics.md'), diagnosticsPage());
});
