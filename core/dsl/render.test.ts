import { compileWorkflow } from './compile';
import { countBySeverity, renderDiagnostics } from './render';

test('place, message, line and caret, hint, related places', () => {
  const text =
    '\ufeffWorkflow: w\nSteps:\n  build: {agent: developer}\n  tést: {agent: tester, depends_on: [biuld]}\n  tést2: {agent: tester, timeout: 5}\n';
  const { diagnostics } = compileWorkflow(text);
  expect(renderDiagnostics(diagnostics, { fileName: 'w.yaml', text })).toBe(
    `w.yaml:4:38: error: there is no step \`biuld\` [unknown_step]
4 |   tést: {agent: tester, depends_on: [biuld]}
  |                                      ^^^^^
  hint: did you mean \`build\`?
w.yaml:5:35: error: \`timeout\` needs a unit [bad_unit]
5 |   tést2: {agent: tester, timeout: 5}
  |                                   ^
  hint: write a number with a unit, like \`90s\`, \`45min\`, \`1h30m\`, \`4days\` or \`PT1H30M\`
`,
  );
  expect(countBySeverity(diagnostics)).toEqual({ error: 2, warning: 0, info: 0 });
});

test('long lines are cut around the place, control characters never reach the terminal', () => {
  const text = `Workflow: w\nSteps: {build: {agent: developer, x-pad: "${'x'.repeat(5_000)}", depends_on: nope}, "a\\e[31m": {agent: b}}\n`;
  const rendered = renderDiagnostics(compileWorkflow(text).diagnostics, { fileName: 'w.yaml', text });
  for (const line of rendered.split('\n')) expect(line.length).toBeLessThan(260);
  expect(rendered).toContain('^^^^');
  // eslint-disable-next-line no-control-regex -- that is what must not be there
  expect(rendered).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/u);
  expect(renderDiagnostics(compileWorkflow(text).diagnostics, { fileName: 'w.yaml', text, color: true })).toContain('\u001b[31m');
});
