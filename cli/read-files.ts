import { existsSync, readFileSync } from 'node:fs';
import { dirname, extname, join, resolve } from 'node:path';
import { TextDecoder } from 'node:util';
import { AppError } from '../core/contract/errors';

export interface SourceFile {
  /** As the user wrote it: diagnostics name the file so. */
  name: string;
  path: string;
  /** As it is on disk: compiling refuses what is not UTF-8. */
  bytes: Uint8Array;
  /** The same as text; exact wherever the bytes compile. */
  text: string;
  format: 'yaml' | 'toml';
}

/** A workflow or agents file. AppError `bad_usage` where it cannot be read. */
export function readSourceFile(name: string, cwd: string, format?: string): SourceFile {
  const path = resolve(cwd, name);
  return sourceOf({ name, path, bytes: readBytes(path, name), format: formatOf(name, format) });
}

/** What was read, with its text. */
export function sourceOf(source: Omit<SourceFile, 'text'>): SourceFile {
  // A byte order mark is the reader's business: columns count from where the text begins.
  return { ...source, text: new TextDecoder('utf-8', { ignoreBOM: true }).decode(source.bytes) };
}

/** A file of any kind. AppError `bad_usage` where it cannot be read. */
export function readBytes(path: string, name: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new AppError('bad_usage', `cannot read ${name}: ${reasonOf(error)}`, { hint: 'check the path', cause: error });
  }
}

/** UTF-8 text of a file; anything else is refused instead of mangled. */
export function readText(path: string, name: string): string {
  const bytes = readBytes(path, name);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new AppError('bad_usage', `${name} is not UTF-8 text`, { hint: 'save it as UTF-8', cause: error });
  }
}

function reasonOf(error: unknown): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOENT':
      return 'no such file';
    case 'EISDIR':
      return 'it is a folder';
    case 'EACCES':
      return 'permission denied';
    default:
      return (error as Error).message;
  }
}

/** By the name where it is not told. AppError `bad_usage` where neither says it. */
export function formatOf(name: string, format: string | undefined): 'yaml' | 'toml' {
  if (format === 'yaml' || format === 'toml') return format;
  if (format !== undefined) throw new AppError('bad_usage', `unknown format ${format}`, { hint: 'use yaml or toml' });
  switch (extname(name).toLowerCase()) {
    case '.yaml':
    case '.yml':
      return 'yaml';
    case '.toml':
      return 'toml';
    default:
      throw new AppError('bad_usage', `cannot tell the format of ${name} from its name`, {
        hint: 'name it .yaml, .yml or .toml, or pass --format',
      });
  }
}

const agentsFileNames = ['agents.yaml', 'agents.yml', 'agents.toml'];

/**
 * The agents file of a workflow: the one asked for, the one the workflow names, or the one beside it. Undefined where there is
 * none; then the run may use all registered agents.
 */
export function findAgentsFile(
  workflow: SourceFile,
  options: { asked?: string | undefined; named?: string | undefined; cwd: string },
): SourceFile | undefined {
  if (options.asked !== undefined) return readSourceFile(options.asked, options.cwd);
  const folder = dirname(workflow.path);
  if (options.named !== undefined) return readSourceFile(options.named, folder);
  const found = agentsFileNames.find((name) => existsSync(join(folder, name)));
  if (found === undefined) return undefined;
  return readSourceFile(join(dirname(workflow.name), found), options.cwd);
}
