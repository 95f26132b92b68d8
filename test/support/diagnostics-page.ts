import { codePages } from '../../core/dsl/code-pages';
import { type DiagnosticCode, diagnosticCodes } from '../../core/dsl/codes';
import { compileWorkflow } from '../../core/dsl/compile';
import { renderDiagnostics } from '../../core/dsl/render';

const longestLine = 110;
const proseWidth = 138;

/** docs/diagnostics.md: a paragraph and an example for each code, with what the compiler says of it. */
export function diagnosticsPage(): string {
  const codes = Object.keys(diagnosticCodes) as DiagnosticCode[];
  return [
    '# Diagnostics',
    '',
    'What `vapora validate` (and everything else that reads a workflow file) may say. Each diagnostic has a stable code, a severity, a',
    'place (`file:line:column`, both from 1, columns in characters) and, unless its message says it already, what helps. All mistakes of a',
    'file are reported, not only the first. An error leaves no plan; `--strict` makes errors of warnings.',
    '',
    'This page is written from `core/dsl/code-pages.ts` by `UPDATE_GOLDEN=1 npx jest core/dsl/code-pages`, and its examples are compiled',
    'then.',
    '',
    ...wrap(codes.map((code) => `[\`${code}\`](#${code})`).join(' · ')),
    '',
    ...codes.flatMap(sectionOf),
  ].join('\n');
}

function sectionOf(code: DiagnosticCode): string[] {
  const { explanation, example, options = {} } = codePages[code];
  const { format = 'yaml' } = options;
  const { diagnostics } = compileWorkflow(example, { format, ...options });
  const shown = diagnostics.filter((diagnostic) => diagnostic.code === code).slice(0, 3);
  const registry = options.roles === undefined ? [] : [`Beside a registry with the roles ${options.roles.join(', ')}:`, ''];
  return [
    `## \`${code}\``,
    '',
    ...wrap(`**${diagnosticCodes[code]}** ${explanation}`),
    '',
    ...registry,
    // Not plain `yaml`: that is for examples without mistakes.
    `\`\`\`${format} mistaken`,
    shortenLines(example),
    '```',
    '',
    '```text',
    shortenLines(renderDiagnostics(shown, { fileName: `example.${format}`, text: example })),
    '```',
    '',
  ];
}

function wrap(text: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > proseWidth) {
      lines.push(line);
      line = '';
    }
    line += line === '' ? word : ` ${word}`;
  }
  return [...lines, line];
}

function shortenLines(text: string): string {
  const cut = (line: string): string => (line.length > longestLine ? `${line.slice(0, longestLine - 1)}…` : line);
  return text.trimEnd().split('\n').map(cut).join('\n');
}
