import type { Command } from 'commander';
import type { ExitCode } from './exit-codes';
import type { RenderOptions } from './render/style';

/** One command of `vapora`: its options, and what it does. Loaded only when it is the one that was typed. */
export interface CliCommand {
  /** Adds arguments and options; `--json` and `--debug` are there already. */
  configure(command: Command): void;
  run(context: CommandContext): Promise<ExitCode>;
}

/** A place in the command tree that costs nothing until it is used. */
export interface CommandEntry {
  /** `['workflow', 'run']` */
  path: [string] | [string, string];
  summary: string;
  load(): Promise<CliCommand>;
  /** Everything after the name belongs to another program: nothing of it is read here. */
  passThrough?: boolean;
}

/** Where a command reads and writes; tests bring their own. */
export interface CliIo {
  stdout: CliOutput;
  stderr: CliOutput;
  stdin: CliInput;
  variables: NodeJS.ProcessEnv;
  cwd: string;
  /** Aborted by the first Ctrl-C or SIGTERM. */
  signal: AbortSignal;
}

/** What is piped in can be read; a terminal, or a test without input, may have nothing. */
export interface CliInput extends Partial<AsyncIterable<Uint8Array | string>> {
  isTTY?: boolean;
  /** The process may end though more could come. */
  unref?(): unknown;
}

export interface CliOutput {
  isTTY?: boolean;
  columns?: number;
  rows?: number;
  write(text: string): unknown;
}

/** What a command works with. */
export interface CommandContext {
  io: CliIo;
  /** Positional arguments in order. */
  arguments: string[];
  /** Options by their long name in camel case. */
  options: CommandOptions;
  /** `--json`. */
  isJson: boolean;
  /** For text on standard output. */
  render: RenderOptions;
  /** A line (or several) on standard output. */
  print(text: string): void;
  /** JSON on standard output. */
  printJson(value: unknown): void;
  /** A note on standard error: progress, warnings; never part of the result. */
  note(text: string): void;
  /** Called when the command has ended, however it ended; the last one given first. */
  defer(close: () => Promise<void>): void;
}

/** Options as commander leaves them, read with a type at the place of use. */
export class CommandOptions {
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(values: Readonly<Record<string, unknown>>) {
    this.#values = values;
  }

  text(name: string): string | undefined {
    const value = this.#values[name];
    return typeof value === 'string' ? value : undefined;
  }

  /** An option that commander has required. */
  required(name: string): string {
    const value = this.text(name);
    if (value === undefined) throw new TypeError(`option ${name} is not required by its command`);
    return value;
  }

  flag(name: string): boolean {
    return this.#values[name] === true;
  }

  /** A flag that also has a `--no-` form: undefined where neither was given. */
  choice(name: string): boolean | undefined {
    const value = this.#values[name];
    return typeof value === 'boolean' ? value : undefined;
  }

  /** An option that a parser turned into a number. */
  number(name: string): number | undefined {
    const value = this.#values[name];
    return typeof value === 'number' ? value : undefined;
  }

  list(name: string): string[] {
    const value = this.#values[name];
    return Array.isArray(value) ? value.map(String) : [];
  }
}
