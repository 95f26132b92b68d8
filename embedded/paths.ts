import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/** Only root relocates. Not a folder for temporary files: those are aged out by the system, a database's rarely touched ones first. */
export const relocatedParent = '/var/lib/vapora';

/** Where one project's embedded environment keeps its things. */
export interface EnvironmentPaths {
  /** The project's folder, with symlinks resolved. */
  projectDir: string;
  /** `.vapora` */
  stateDir: string;
  /** `.vapora/dev.json`: what runs, where. */
  environmentFile: string;
  /** `.vapora/dev.lock`: who runs it. */
  lockFile: string;
  logDir: string;
  binDir: string;
  /** `.vapora/pg`: the cluster, or a link to it. */
  postgresDataDir: string;
  /** `.vapora/postgres.json`: the generated passwords. */
  postgresSecretsFile: string;
  temporalDatabaseFile: string;
  /** Used instead of `.vapora` for Postgres when root's project cannot be entered by the user Postgres runs as. */
  relocatedDir: string;
}

/** Computes the paths; touches nothing but `projectDir`, which must exist. */
export function environmentPaths(projectDir: string): EnvironmentPaths {
  const realProjectDir = realpathSync(projectDir);
  const stateDir = join(realProjectDir, '.vapora');
  const hash = createHash('sha256').update(realProjectDir).digest('hex').slice(0, 16);
  return {
    projectDir: realProjectDir,
    stateDir,
    environmentFile: join(stateDir, 'dev.json'),
    lockFile: join(stateDir, 'dev.lock'),
    logDir: join(stateDir, 'log'),
    binDir: join(stateDir, 'bin'),
    postgresDataDir: join(stateDir, 'pg'),
    postgresSecretsFile: join(stateDir, 'postgres.json'),
    temporalDatabaseFile: join(stateDir, 'temporal.db'),
    relocatedDir: join(relocatedParent, hash),
  };
}

/** Creates `.vapora` and its log folder. The folder ignores itself in git: it holds passwords and databases. */
export function createStateDir(paths: EnvironmentPaths): void {
  mkdirSync(paths.logDir, { recursive: true, mode: 0o755 });
  const gitignore = join(paths.stateDir, '.gitignore');
  if (!existsSync(gitignore)) writeFileSync(gitignore, '*\n');
}

/** The cache that all projects of one user share, so that a second clone downloads nothing. */
export function userCacheDir(environment: NodeJS.ProcessEnv = process.env): string {
  const configured = environment['XDG_CACHE_HOME'];
  // The XDG specification says to ignore relative paths.
  const base = configured !== undefined && isAbsolute(configured) ? configured : join(homedir(), '.cache');
  return join(base, 'vapora');
}
