import type { Diagnostic, Severity, SourceRange } from '../plan/diagnostic';
import { diagnosticCodes } from './codes';

export interface SarifFile {
  /** Relative names count from the folder that vapora was called in. */
  name: string;
  /** The text that was compiled. */
  text: string;
  diagnostics: readonly Diagnostic[];
}

const levels: Readonly<Record<Severity, string>> = { error: 'error', warning: 'warning', info: 'note' };
const sourceRoot = '%SRCROOT%';

/**
 * Diagnostics as a SARIF 2.1.0 log, for code scanning and editors. Columns are code points, as everywhere in a diagnostic; a
 * rule stands in the log when a result refers to it.
 */
export function renderSarif(files: readonly SarifFile[], options: { version: string }): unknown {
  const rules = new Rules();
  const results = files.flatMap((file) => file.diagnostics.map((diagnostic) => resultOf(file, diagnostic, rules)));
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'vapora', version: options.version, rules: rules.list } },
        columnKind: 'unicodeCodePoints',
        originalUriBaseIds: { [sourceRoot]: { description: { text: 'The folder that vapora was called in.' } } },
        artifacts: files.map(({ name }) => ({ location: locationOf(name), roles: ['analysisTarget'] })),
        results,
        invocations: [{ executionSuccessful: true }],
      },
    ],
  };
}

class Rules {
  readonly list: unknown[] = [];
  readonly #indexes = new Map<string, number>();

  indexOf(code: string): number {
    const known = this.#indexes.get(code);
    if (known !== undefined) return known;
    const explanation = code in diagnosticCodes ? diagnosticCodes[code as keyof typeof diagnosticCodes] : code;
    const name = code.replace(/(?:^|_)([a-z])/gu, (_, letter: string) => letter.toUpperCase());
    this.list.push({ id: code, name, shortDescription: { text: explanation }, help: { text: explanation } });
    this.#indexes.set(code, this.list.length - 1);
    return this.list.length - 1;
  }
}

function resultOf(file: SarifFile, diagnostic: Diagnostic, rules: Rules): unknown {
  const { code, severity, message, hint, path, range, related = [] } = diagnostic;
  const fix = fixOf(file, diagnostic);
  return {
    ruleId: code,
    ruleIndex: rules.indexOf(code),
    level: levels[severity],
    message: { text: hint === undefined ? message : `${message} (${hint})` },
    locations: [
      {
        physicalLocation: placeOf(file, range),
        ...(path.length === 0 ? {} : { logicalLocations: [{ fullyQualifiedName: qualifiedName(path), kind: 'member' }] }),
      },
    ],
    ...(related.length === 0
      ? {}
      : {
          relatedLocations: related.map((note, index) => ({
            id: index + 1,
            physicalLocation: placeOf(file, note.range),
            message: { text: note.message },
          })),
        }),
    ...(fix === undefined ? {} : { fixes: [fix] }),
  };
}

/** A `did you mean` is a fix where the place holds exactly the word that the message names. */
function fixOf(file: SarifFile, { message, hint, range }: Diagnostic): unknown {
  const meant = /^did you mean `([\p{L}\p{N}_.-]+)`\?$/u.exec(hint ?? '')?.[1];
  if (meant === undefined || range.line !== range.endLine) return undefined;
  const line = file.text.replace(/^\ufeff/u, '').split('\n', range.line)[range.line - 1] ?? '';
  const written = Array.from(line)
    .slice(range.column - 1, range.endColumn - 1)
    .join('');
  if (!message.includes(`\`${written}\``)) return undefined;
  return {
    description: { text: `Write \`${meant}\`` },
    artifactChanges: [
      {
        artifactLocation: locationOf(file.name),
        replacements: [{ deletedRegion: regionOf(range), insertedContent: { text: meant } }],
      },
    ],
  };
}

function placeOf(file: SarifFile, range: SourceRange): unknown {
  return { artifactLocation: locationOf(file.name), region: regionOf(range) };
}

function regionOf({ line, column, endLine, endColumn }: SourceRange): unknown {
  return { startLine: line, startColumn: column, endLine, endColumn };
}

function locationOf(name: string): unknown {
  const uri = name
    .replaceAll('\\', '/')
    .split('/')
    .map((part) => encodeURIComponent(part))
    .join('/');
  if (uri.startsWith('/')) return { uri: `file://${uri}` };
  const drive = /^([A-Za-z])%3A\//u.exec(uri);
  if (drive !== null) return { uri: `file:///${drive[1] ?? ''}:/${uri.slice(drive[0].length)}` };
  return { uri: uri.replace(/^\.\//u, ''), uriBaseId: sourceRoot };
}

/** `Steps.build.depends_on[1]`. */
function qualifiedName(path: readonly (string | number)[]): string {
  return path.map((part, index) => (typeof part === 'number' ? `[${part}]` : index === 0 ? part : `.${part}`)).join('');
}
