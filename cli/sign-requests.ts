import { basename } from 'node:path';
import type { Command } from 'commander';
import type { Signing } from '../client/control-run';
import type { SignedRun, SigningIdentity } from '../client/signing';
import { AppError } from '../core/contract/errors';
import { personName } from '../core/contract/person-name';
import type { CommandContext } from './command';
import { currentUser } from './current-user';
import { findKey, keyFolder, readKeyFile } from './key-files';

/** VAPORA_STRICT: whoever starts, votes or changes has to sign. Of a worker: for every run that it plans. */
export function isStrict(variables: NodeJS.ProcessEnv): boolean {
  const value = variables['VAPORA_STRICT'] ?? '';
  if (value === '' || value === '0' || value === 'false') return false;
  if (value === '1' || value === 'true') return true;
  throw new AppError('bad_usage', `VAPORA_STRICT is ${JSON.stringify(value)}`, { hint: 'set it to 1, or to 0' });
}

/** `--key`: for what a person may have to sign. */
export function addKeyOption(command: Command): Command {
  return command.option(
    '--key <file>',
    'sign with this private key (default: VAPORA_KEY, else your newest one, where a signature is needed)',
  );
}

/** The key that was named; undefined where none was. */
export function namedKey({ options, io }: CommandContext): SigningIdentity | undefined {
  const file = options.text('key') ?? (io.variables['VAPORA_KEY'] || undefined);
  return file === undefined ? undefined : readKeyFile(file, io.cwd);
}

/** Who asks: the one that is named, else whose key is, else the user. */
export function whoAsks(context: CommandContext, option = 'by'): string {
  return context.options.text(option) ?? namedKey(context)?.person ?? currentUser();
}

/** The key to sign with as this person. AppError `refused` where there is none here. */
export function requireKey(context: CommandContext, person: string): SigningIdentity {
  const named = namedKey(context);
  const name = personName(person);
  if (named !== undefined) {
    if (named.person === name) return named;
    throw new AppError('bad_usage', `the key is ${named.person}'s, not ${name}'s`, { hint: `leave --by out, or name a key of ${name}` });
  }
  const folder = keyFolder(context.io);
  const { identity, others } = findKey(folder, name);
  if (identity !== undefined) return identity;
  throw new AppError('refused', `this takes a signature, and there is no key of ${name} in ${folder}`, {
    hint:
      others.length > 0
        ? `there are keys of ${others.slice(0, 5).join(', ')}: say who you are with --by, or make one with 'vapora keys create --by ${name}'`
        : `make one with 'vapora keys create --by ${name}', and have it registered; or name one with --key (${basename(folder)}/…json)`,
  });
}

/** Signs as this person: always with a key that is named, else where the run asks for that. */
export function signingOf<Message>(
  context: CommandContext,
  person: string,
  sign: (identity: SigningIdentity, run: SignedRun, message: Message) => Promise<string>,
): Signing<Message> {
  return {
    always: namedKey(context) !== undefined,
    sign: async (run, message) => sign(requireKey(context, person), run, message),
  };
}
