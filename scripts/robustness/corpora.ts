import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { limits } from '../../core/dsl/limits';
import { Tally } from './tally';
import { type Outcome, WatchedCompiler } from './watched-compiler';

const help = `npm run corpora -- FOLDER… [--list CODE]

Gives every YAML, TOML and JSON file below the folders to the compiler. They need not be workflows: each must get an answer (a plan
or errors) within 3 seconds. Prints how many got which, and every crash, stall or broken promise.

  --list CODE   name the files that got this error (or "plan")
`;
const limitMs = 3_000;

/** Exit codes: 0 every file got its answer, 1 not every one did, 2 wrong usage. */
export async function main(args: string[]): Promise<void> {
  const options = parse(args);
  if (options === undefined) return;
  const compiler = new WatchedCompiler({ limitMs });
  const tally = new Tally();
  let skipped = 0;
  try {
    for (const folder of options.folders) {
      for (const file of findFiles(folder)) {
        const format = formatOf(file);
        if (format === undefined) {
          skipped += 1;
          continue;
        }
        const name = relative(process.cwd(), file);
        // Larger ones are refused by their size alone, so there is no need to send all of it.
        const input = readFileSync(file).subarray(0, limits.textBytes + 4);
        const outcome = await compiler.compile({ input, format });
        tally.add(outcome, name);
        if (options.list !== undefined && has(outcome, options.list)) console.log(name);
      }
    }
  } finally {
    compiler.stop();
  }
  if (skipped > 0) console.log(`left out, being neither YAML, TOML nor JSON: ${skipped}`);
  console.log(tally.render());
  process.exitCode = tally.troubles.length === 0 ? 0 : 1;
}

function parse(args: string[]): { folders: string[]; list?: string } | undefined {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { list: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    });
    if (values.help === true) {
      console.log(help);
      return undefined;
    }
    if (positionals.length === 0) throw new Error('which folder?');
    for (const folder of positionals) statSync(folder);
    return { folders: positionals, ...(values.list !== undefined && { list: values.list }) };
  } catch (error) {
    console.error(`corpora: ${(error as Error).message}\n\n${help}`);
    process.exitCode = 2;
    return undefined;
  }
}

/** In a fixed order; links are not followed. */
function findFiles(folder: string): string[] {
  if (!statSync(folder).isDirectory()) return [folder];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** JSON is YAML. */
function formatOf(file: string): 'yaml' | 'toml' | undefined {
  if (/\.(ya?ml|json)$/iu.test(file)) return 'yaml';
  return /\.toml$/iu.test(file) ? 'toml' : undefined;
}

function has(outcome: Outcome, wanted: string): boolean {
  return outcome.kind === 'answer' && (wanted === 'plan' ? outcome.isPlan : outcome.errors.includes(wanted));
}
