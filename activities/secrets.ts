import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { notRunnable } from './agent-failures';

/** Shorter values occur in any text by chance: replacing them would shred it and hide nothing. */
const minHiddenLength = 4;
/** A line of a key file is worth hiding on its own, because output is redacted line by line. */
const minHiddenLineLength = 8;
const sensitiveName = /KEY|TOKEN|SECRET|PASS|CREDENTIAL|AUTH/i;

/** The secrets that one attempt has seen: resolved on demand, and taken out of everything that leaves the activity. */
export interface Secrets {
  /** The value of `${secret:NAME}`; a missing one is not runnable. It is redacted from then on. */
  resolve(name: string): Promise<string>;
  /** Hides the value of a variable that the agent gets, if the variable's name says that it is sensitive. */
  hideVariable(name: string, value: string): void;
  redact(text: string): string;
  /** The same value with every text in it redacted, keys included; the same object when nothing is hidden. */
  redactDeep<T>(value: T): T;
  readonly isEmpty: boolean;
}

export interface SecretSources {
  env: Readonly<Record<string, string | undefined>>;
  /** One file for each secret, as container runtimes mount them. */
  folder: string;
}

export function createSecrets(sources?: SecretSources): Secrets {
  const hidden = new Map<string, string>();
  let needles: [needle: string, replacement: string][] = [];

  function hide(name: string, value: string): void {
    for (const needle of formsOf(value)) hidden.set(needle, `[redacted:${name}]`);
    needles = [...hidden].sort(([a], [b]) => b.length - a.length);
  }

  async function resolve(name: string): Promise<string> {
    const { env, folder } = sources ?? { env: process.env, folder: process.env['VAPORA_SECRETS_DIR'] ?? '/run/secrets' };
    const value = env[name] ?? (await readSecretFile(env[`${name}_FILE`] ?? join(folder, name)));
    if (value === undefined) {
      throw notRunnable(
        `the secret ${name} is not known on this worker: set the environment variable ${name} (or ${name}_FILE), or put it into ${join(folder, name)}`,
      );
    }
    hide(name, value);
    return value;
  }

  function redact(text: string): string {
    let redacted = text;
    for (const [needle, replacement] of needles) redacted = redacted.replaceAll(needle, () => replacement);
    return redacted;
  }

  function redactAny(value: unknown): unknown {
    if (typeof value === 'string') return redact(value);
    if (Array.isArray(value)) return value.map(redactAny);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [redact(key), redactAny(inner)]));
  }

  return {
    resolve,
    hideVariable: (name, value) => {
      if (sensitiveName.test(name)) hide(name, value);
    },
    redact,
    redactDeep: <T>(value: T): T => (needles.length === 0 ? value : (redactAny(value) as T)),
    get isEmpty() {
      return needles.length === 0;
    },
  };
}

async function readSecretFile(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).replace(/\r?\n$/, '');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw notRunnable(`a secret's file cannot be read: ${(error as Error).message}`);
  }
}

/** The value as it stands, and as JSON, URLs and basic authentication would show it. */
function formsOf(value: string): string[] {
  const lines = value.includes('\n') ? value.split(/\r?\n/).filter((line) => line.length >= minHiddenLineLength) : [];
  const forms = [value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value), Buffer.from(value).toString('base64'), ...lines];
  return forms.filter((form) => form.length >= minHiddenLength);
}
