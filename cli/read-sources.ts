import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { findSourceKind } from '../core/dsl/source-kind';
import { limits } from '../core/dsl/limits';
import type { CommandContext } from './command';
import { formatOf, readSourceFile, sourceOf, type SourceFile } from './read-files';

const standardInput = '-';

/** A workflow or agents file, or standard input where it is called `-`. AppError `bad_usage` where it cannot be read. */
export async function readSource(name: string, { io }: CommandContext, format: string | undefined): Promise<SourceFile> {
  if (name !== standardInput) return readSourceFile(name, io.cwd, format);
  const bytes = await readInput(io.stdin);
  // A file of that name in this folder is where other files are looked for from.
  return sourceOf({ name: '<stdin>', path: resolve(io.cwd, standardInput), bytes, format: formatOf('<stdin>', format ?? 'yaml') });
}

export function isStandardInput(name: string): boolean {
  return name === standardInput;
}

/**
 * The files that are named, and those in the folders that are named: of these only workflows and agents files, for a folder may
 * hold any YAML. What is left out is noted.
 */
export async function readSources(names: readonly string[], context: CommandContext): Promise<SourceFile[]> {
  const sources: SourceFile[] = [];
  for (const name of names) {
    const path = resolve(context.io.cwd, name);
    if (isStandardInput(name) || !existsSync(path) || !statSync(path).isDirectory())
      sources.push(await readSource(name, context, context.options.text('format')));
    else sources.push(...sourcesIn(name, context));
  }
  return sources.filter((source, index) => sources.findIndex(({ path }) => path === source.path) === index);
}

function sourcesIn(folder: string, { io, note }: CommandContext): SourceFile[] {
  const names = filesBelow(resolve(io.cwd, folder)).map((path) => join(folder, path));
  const sources = names.map((name) => readSourceFile(name, io.cwd));
  const others = sources.filter(({ bytes, text, format }) => findSourceKind(bytes, { format }) === undefined && !looksLikeOurs(text));
  for (const { name } of others) note(`${name}: skipped: neither a workflow nor an agents file`);
  if (sources.length === others.length) note(`${folder}: no workflow and no agents file in it`);
  return sources.filter((source) => !others.includes(source));
}

/** What cannot be read may still be a workflow with a mistake: that is reported, not skipped. */
function looksLikeOurs(text: string): boolean {
  return /^(?:\[+\s*)?["']?(?:workflow|steps|phases|agents)\b/imu.test(text);
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      if (entry.name.startsWith('.') || entry.name === 'node_modules') return [];
      if (entry.isDirectory()) return filesBelow(join(folder, entry.name)).map((name) => join(entry.name, name));
      return entry.isFile() && /\.(?:ya?ml|toml)$/iu.test(entry.name) ? [entry.name] : [];
    });
}

/** Standard input. Stops where a text is over the limit anyway: compiling then says so. */
export async function readInput(stdin: CommandContext['io']['stdin']): Promise<Uint8Array> {
  const { [Symbol.asyncIterator]: iterate } = stdin;
  if (iterate === undefined) return new Uint8Array();
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of { [Symbol.asyncIterator]: iterate.bind(stdin) }) {
    chunks.push(Buffer.from(chunk));
    length += chunk.length;
    if (length > 2 * limits.textBytes) break;
  }
  return Buffer.concat(chunks);
}
