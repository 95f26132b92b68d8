import { randomUUID } from 'node:crypto';
import { readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff';
import { AppError } from '../core/contract/errors';
import { type FormatResult, formatSource } from '../core/dsl/format/format-source';
import { findSourceKind } from '../core/dsl/source-kind';
import type { CliCommand, CommandContext } from './command';
import { diagnosticsToJson, type FileDiagnostics, renderReports } from './compile-file';
import { exitCodes } from './exit-codes';
import type { SourceFile } from './read-files';
import { isStandardInput, readSources } from './read-sources';
import { detectRenderOptions } from './render/style';

/** Rewrites files in the canonical layout, or shows what that would change. */
export const command: CliCommand = {
  configure(command) {
    command
      .argument('<files...>', 'workflow and agents files, folders of them, or - for standard input')
      .option('--check', 'change nothing; exit 2 where a file is not in the canonical layout')
      .option('--diff', 'change nothing; show what would change')
      .option('--stdout', 'change nothing; print the result (of standard input: the default)')
      .option('--format <format>', 'yaml or toml, where the name does not say');
  },
  async run(context) {
    const { arguments: names, isJson, options } = context;
    const files = await readSources(names, context);
    const isPiped = names.some(isStandardInput);
    if (isPiped && names.length > 1)
      throw new AppError('bad_usage', 'standard input is formatted alone', { hint: 'leave the other files out' });
    const formatted = files.map(formatFile);
    const isKept = ['check', 'diff', 'stdout'].some((name) => options.flag(name)) || isPiped;
    if (!isKept) for (const each of formatted) if (isChanged(each)) writeSafely(each.file, each.text);
    if (isJson) context.printJson(toJson(formatted));
    else for (const each of formatted) show(context, each, { isPiped });
    const isDone = formatted.every((each) => each.outcome === 'formatted' && !(options.flag('check') && isChanged(each)));
    return isDone ? exitCodes.done : exitCodes.badUsage;
  },
};

type FormattedFile = { file: SourceFile } & FormatResult;
type ChangedFile = FormattedFile & { outcome: 'formatted' };

function formatFile(file: SourceFile): FormattedFile {
  const { bytes, format } = file;
  const kind = findSourceKind(bytes, { format }) ?? 'workflow';
  return { file, ...formatSource(bytes, { format, kind }) };
}

function isChanged(formatted: FormattedFile): formatted is ChangedFile {
  return formatted.outcome === 'formatted' && formatted.text !== formatted.file.text;
}

function show(context: CommandContext, formatted: FormattedFile, { isPiped }: { isPiped: boolean }): void {
  const { io, note, options, print } = context;
  const { file } = formatted;
  if (formatted.outcome === 'invalid') {
    const { color } = detectRenderOptions(io.stderr, io.variables);
    const report: FileDiagnostics = { file, isOk: false, diagnostics: formatted.diagnostics };
    note(renderReports([report], { color, withInfos: false }));
    note(`${file.name}: left as it is: it has errors`);
  } else if (formatted.outcome === 'unsafe') note(`${file.name}: left as it is: ${formatted.reason}`);
  else if (options.flag('diff')) {
    if (isChanged(formatted)) print(diffOf(formatted).trimEnd());
  } else if (options.flag('check')) {
    if (isChanged(formatted)) print(`${file.name}: not in the canonical layout; mend it with: vapora fmt`);
  } else if (options.flag('stdout') || isPiped) io.stdout.write(formatted.text);
  else print(`${file.name}: ${isChanged(formatted) ? 'formatted' : 'unchanged'}`);
}

function toJson(formatted: readonly FormattedFile[]): unknown {
  return {
    schemaVersion: 1,
    files: formatted.map((each) => ({
      file: each.file.name,
      outcome: each.outcome === 'formatted' ? (isChanged(each) ? 'changed' : 'unchanged') : each.outcome,
      diff: isChanged(each) ? diffOf(each) : null,
      reason: each.outcome === 'unsafe' ? each.reason : null,
      diagnostics: each.outcome === 'invalid' ? diagnosticsToJson(each.diagnostics) : [],
    })),
  };
}

function diffOf({ file, text }: ChangedFile): string {
  // Very different files would take very long: then all of the old and all of the new is shown.
  const options = { context: 3, timeout: 5_000, headerOptions: FILE_HEADERS_ONLY };
  const patch = createTwoFilesPatch(file.name, file.name, file.text, text, 'as it is', 'formatted', options);
  return patch ?? `--- ${file.name}\n+++ ${file.name}\n(too different to be shown line by line)\n`;
}

/** Complete or not at all, and only over what was read. A link is followed; the permissions stay. */
function writeSafely(file: SourceFile, text: string): void {
  const path = realpathSync(file.path);
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    writeFileSync(temporary, text, { mode: statSync(path).mode, flag: 'wx' });
    if (!readFileSync(path).equals(file.bytes)) {
      throw new AppError('refused', `${file.name} changed while it was formatted`, { hint: 'format it again' });
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    if (error instanceof AppError) throw error;
    throw new AppError('bad_usage', `cannot write ${file.name}: ${(error as Error).message}`, {
      hint: 'check its permissions',
      cause: error,
    });
  }
}
