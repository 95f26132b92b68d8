import type { AgentProgress } from '../../core/contract/agent-document';
import { createLineSplitter } from './line-splitter';

const quoteLength = 200;

export interface ResultLines {
  push(chunk: Buffer): void;
  /** The last result, or why there is none. */
  end(): { ok: true; raw: unknown } | { ok: false; problem: string };
}

/**
 * Reads an agent's JSON lines: `{"progress", "message"}` on the way, at last the result, which has a `status`. Stray lines
 * before the result (a package manager's greeting) do no harm; a broken line after it, or instead of it, does.
 */
export function createResultLines({
  onProgress,
  maxLineBytes,
}: {
  onProgress: (progress: AgentProgress) => void;
  maxLineBytes: number;
}): ResultLines {
  let lineNumber = 0;
  let result: unknown;
  let lastObject: unknown;
  let broken: string | undefined;

  function readLine(bytes: Buffer, isCut: boolean): void {
    lineNumber += 1;
    if (isCut) {
      broken ??= `line ${lineNumber} has more than ${maxLineBytes} bytes: write long output to a file in the workspace and return its path`;
      return;
    }
    const line = bytes.toString('utf8').trim();
    if (line === '') return;
    const parsed = parseJson(line);
    if (parsed === undefined) broken ??= `line ${lineNumber} is not JSON: ${quote(line)}`;
    else if (isProgress(parsed)) onProgress(readProgress(parsed));
    else if (isObject(parsed)) {
      lastObject = parsed;
      if (!Object.hasOwn(parsed, 'status')) return;
      result = parsed;
      broken = undefined;
    }
  }

  const splitter = createLineSplitter({ maxLineBytes, onLine: readLine });
  return {
    push: splitter.push,
    end() {
      splitter.end();
      if (broken !== undefined) return { ok: false, problem: `its output is broken: ${broken}` };
      // An object without a status is most likely a result that lacks it: the contract's check says so.
      const raw = result ?? lastObject;
      return raw === undefined ? { ok: false, problem: 'it printed no result' } : { ok: true, raw };
    },
  };
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isProgress(value: unknown): value is Record<string, unknown> & { progress: number } {
  return isObject(value) && typeof value['progress'] === 'number' && value['status'] !== 'success' && value['status'] !== 'failure';
}

const maxMessageLength = 500;

function readProgress({ progress, message }: Record<string, unknown> & { progress: number }): AgentProgress {
  const text = typeof message === 'string' ? message.slice(0, maxMessageLength) : undefined;
  return { progress: Math.min(1, Math.max(0, progress)), ...(text !== undefined && { message: text }) };
}

function quote(line: string): string {
  return JSON.stringify(line.length > quoteLength ? `${line.slice(0, quoteLength)}…` : line);
}
