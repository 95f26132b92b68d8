import { parseArgs } from 'node:util';

export interface RunArguments {
  count: number;
  /** Repeats a run; drawn from the time where none is given. */
  seed: number;
  keep: string | undefined;
}

/**
 * `--<countName> N --seed N --keep PATH`. Undefined where there is nothing to run: help was asked for, or (exit code 2) the arguments make
 * no sense, and why stands on standard error.
 */
export function parseRunArguments(
  args: string[],
  { program, countName, count, help }: { program: string; countName: string; count: number; help: string },
): RunArguments | undefined {
  try {
    const { values } = parseArgs({
      args,
      options: {
        [countName]: { type: 'string', default: String(count) },
        seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
        keep: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values['help'] === true) {
      console.log(help);
      return undefined;
    }
    const [wanted, seed] = [Number(values[countName]), Number(values['seed'])];
    if (!Number.isInteger(wanted) || wanted < 1 || !Number.isInteger(seed)) throw new Error(`--${countName} and --seed need whole numbers`);
    return { count: wanted, seed, keep: typeof values['keep'] === 'string' ? values['keep'] : undefined };
  } catch (error) {
    console.error(`${program}: ${(error as Error).message}\n\n${help}`);
    process.exitCode = 2;
    return undefined;
  }
}
