import { appendFile, mkdir, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { AgentDocument } from '../core/contract/agent-document';
import { agentLogExtension, type AgentLogLine } from '../core/contract/agent-log';
import { dataFolders } from '../core/contract/data-folders';
import { createLineSplitter, type LineSplitter } from './executors/line-splitter';
import type { Secrets } from './secrets';
import { placeOf } from './workspace';

/** What one attempt of an agent prints, as the worker keeps it for people to read. */
export interface AgentLog {
  /** Waits for the disk where it must: the agent is then slowed down, memory is not filled. */
  write(stream: 'stdout' | 'stderr', chunk: Buffer): Promise<void>;
  /** A line of ours: how the attempt began or ended. */
  note(text: string): Promise<void>;
  /** Writes what is held; nothing may be written afterwards. */
  close(): Promise<void>;
}

export interface AgentLogOptions {
  dataDir: string;
  document: AgentDocument;
  secrets: Secrets;
  /** Called once, when the log cannot be written. Work goes on without it. */
  onProblem: (error: Error) => void;
  /** Of one file; the last two of an attempt are kept. */
  fileBytes?: number;
}

const defaultFileBytes = 1024 * 1024;
const keptFiles = 2;
/** A line is redacted whole and only then cut: half a secret would not be recognised. */
const maxHeldLineBytes = 64 * 1024;
const maxLineLength = 8 * 1024;

/**
 * Keeps an attempt's output as JSON lines (`AgentLogLine`) in files `<effect>.<attempt>-<n>.jsonl` below the run's log folder. A
 * file is only ever appended to, and a full one is followed by the next, so that a reader can go on where it was.
 */
export function createAgentLog({ dataDir, document, secrets, onProblem, fileBytes = defaultFileBytes }: AgentLogOptions): AgentLog {
  const { run, name } = placeOf(document.idempotencyKey);
  const folder = resolve(dataDir, dataFolders.agentLogs, run);
  const effect = document.idempotencyKey.slice(document.idempotencyKey.indexOf('/') + 1);
  const fileOf = (n: number): string => join(folder, `${name}.${document.attempt}-${n}${agentLogExtension}`);
  let fileNumber = 0;
  let sizeBytes = 0;
  let pending: string[] = [];
  let isBroken = false;

  function add(stream: AgentLogLine['stream'], text: string): void {
    const redacted = secrets.redact(text);
    const shown = redacted.length > maxLineLength ? `${redacted.slice(0, maxLineLength)}…` : redacted;
    const { step, agent, attempt } = document;
    const line: AgentLogLine = { at: new Date().toISOString(), step: step.id, effect, agent: agent.id, attempt, stream, text: shown };
    pending.push(`${JSON.stringify(line)}\n`);
  }

  /** An attempt that is made again under its old number goes on in its old file. */
  async function openFirst(): Promise<void> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    fileNumber = 1;
    sizeBytes = await stat(fileOf(1)).then(
      ({ size }) => size,
      () => 0,
    );
  }

  async function flush(): Promise<void> {
    const lines = pending;
    pending = [];
    if (isBroken || lines.length === 0) return;
    try {
      if (fileNumber === 0) await openFirst();
      for (let from = 0; from < lines.length;) {
        if (sizeBytes >= fileBytes) {
          fileNumber += 1;
          sizeBytes = 0;
          await rm(fileOf(fileNumber - keptFiles), { force: true });
        }
        let text = '';
        for (; from < lines.length && sizeBytes < fileBytes; from += 1) {
          text += lines[from];
          sizeBytes += Buffer.byteLength(lines[from] ?? '');
        }
        await appendFile(fileOf(fileNumber), text, { mode: 0o600 });
      }
    } catch (error) {
      isBroken = true;
      onProblem(error as Error);
    }
  }

  const splitterOf = (stream: 'stdout' | 'stderr'): LineSplitter =>
    createLineSplitter({
      maxLineBytes: maxHeldLineBytes,
      onLine: (line, isCut) => add(stream, `${line.toString('utf8').trimEnd()}${isCut ? '…' : ''}`),
    });
  const splitters = { stdout: splitterOf('stdout'), stderr: splitterOf('stderr') };
  // Both streams write: one after the other.
  let writing = Promise.resolve();
  const flushed = (): Promise<void> => (writing = writing.then(flush));

  return {
    write(stream, chunk) {
      splitters[stream].push(chunk);
      return flushed();
    },
    note(text) {
      add('note', text);
      return flushed();
    },
    close() {
      splitters.stdout.end();
      splitters.stderr.end();
      return flushed();
    },
  };
}
