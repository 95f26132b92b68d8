import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { SigningIdentity } from '../client/signing';
import { AppError } from '../core/contract/errors';
import type { CliIo } from './command';
import { readText } from './read-files';

/** Where the private keys of the user who types are: VAPORA_KEYS_DIR, else below the user's configuration (XDG). */
export function keyFolder({ variables, cwd }: Pick<CliIo, 'variables' | 'cwd'>): string {
  const stated = variables['VAPORA_KEYS_DIR'];
  if (stated) return resolve(cwd, stated);
  return join(variables['XDG_CONFIG_HOME'] || join(variables['HOME'] || homedir(), '.config'), 'vapora', 'keys');
}

/** Keeps a private key where only its user can read it. Gives the file. */
export function writeKeyFile(folder: string, identity: SigningIdentity): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, `${fileNameOf(identity)}.json`);
  const { person, id, privateKey } = identity;
  // Never over another one: a private key that is lost cannot be made again.
  writeFileSync(file, `${JSON.stringify({ person, id, privateKey }, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
  chmodSync(file, 0o600);
  return file;
}

/** A private key. AppError `bad_usage` where it cannot be read or is none, `refused` where others can read it too. */
export function readKeyFile(name: string, cwd: string): SigningIdentity {
  const path = resolve(cwd, name);
  const text = readText(path, name);
  refuseOpenFile(path, name);
  const identity = parseIdentity(text);
  if (identity !== undefined) return identity;
  throw new AppError('bad_usage', `${name} is no private key of vapora`, { hint: "'vapora keys create' makes one" });
}

/** The newest key of a person in a folder, and of whom there are others. */
export function findKey(folder: string, person: string): { identity?: SigningIdentity; others: string[] } {
  const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.json')) : [];
  const byAge = files.map((name) => join(folder, name)).sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs || (a < b ? -1 : 1));
  const others = new Set<string>();
  for (const file of byAge) {
    const identity = parseIdentity(readText(file, file));
    if (identity === undefined) continue;
    if (identity.person === person) return { identity: readKeyFile(file, folder), others: [] };
    others.add(identity.person);
  }
  return { others: [...others].sort() };
}

function parseIdentity(text: string): SigningIdentity | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { person, id, privateKey } = (typeof value === 'object' && value !== null ? value : {}) as Partial<SigningIdentity>;
  const isPrivate = privateKey?.kty === 'OKP' && privateKey.crv === 'Ed25519' && typeof privateKey.d === 'string';
  return typeof person === 'string' && typeof id === 'string' && isPrivate ? { person, id, privateKey } : undefined;
}

/** As ssh does: a key that others can read is nobody's proof. Windows has no such bits. */
function refuseOpenFile(path: string, name: string): void {
  if (process.platform === 'win32' || (statSync(path).mode & 0o077) === 0) return;
  throw new AppError('refused', `others can read ${name}: it proves nothing any more`, {
    hint: `'chmod 600 ${name}', and if somebody may have read it, 'vapora keys revoke' and a new key`,
  });
}

/** Letters, digits, dots and dashes of the name, and enough of the id to tell two keys apart. */
function fileNameOf({ person, id }: SigningIdentity): string {
  return `${person.replace(/[^\p{L}\p{N}.-]+/gu, '_').slice(0, 60)}-${id.slice(0, 8)}`;
}
