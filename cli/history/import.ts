import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { type BadHistoryLine, importHistory, type ImportSummary } from '../../client/history-transfer';
import { AppError, isAppError } from '../../core/contract/errors';
import type { CliCommand, CommandContext } from '../command';
import { exitCodes } from '../exit-codes';
import { openClient } from '../open-client';
import { addConnectionOptions } from '../option-parsers';
import { isStandardInput } from '../read-sources';
import { plainText } from '../render/style';

/** Bad lines that the JSON lists; standard error has them all. */
const listedLines = 1_000;
const progressLines = 100_000;

/** Executions from elsewhere become part of the history. */
export const command: CliCommand = {
  configure(command) {
    command
      .argument('<file>', 'lines of JSON, one execution each (docs/history.md), or - for standard input')
      .option('--strict', 'end at the first bad line; what stands before it is imported');
    addConnectionOptions(command);
  },
  async run(context) {
    const { options, io, note } = context;
    const name = context.arguments[0] ?? '';
    const shown = isStandardInput(name) ? '<stdin>' : name;
    const listed: BadHistoryLine[] = [];
    let told = 0;
    const summary = await importHistory(openClient(context), untilAborted(readChunks(name, context), io), {
      strict: options.flag('strict'),
      signal: io.signal,
      onBadLine: (bad) => {
        note(`${shown}:${bad.line}: ${plainText(bad.problem)}`);
        if (listed.length < listedLines) listed.push(bad);
      },
      onProgress: ({ lines }) => {
        if (lines - told < progressLines) return;
        told = lines;
        note(`${lines} lines so far`);
      },
    });
    if (io.signal.aborted) throw interrupted(summary, name);
    if (context.isJson) context.printJson({ schemaVersion: 1, file: shown, ...summary, badLines: listed });
    else context.print(summaryText(summary, shown));
    return summary.bad > 0 ? exitCodes.badUsage : exitCodes.done;
  },
};

function summaryText({ lines, imported, duplicates, bad, isComplete }: ImportSummary, name: string): string {
  const end = isComplete ? '' : '; ended at the bad line: mend it and import the file again, what is there is not imported twice';
  return `${name}: ${lines} ${lines === 1 ? 'line' : 'lines'}: ${imported} imported, ${duplicates} there before, ${bad} bad${end}`;
}

function interrupted({ imported, lines }: ImportSummary, name: string): AppError {
  return new AppError('interrupted', `interrupted after ${lines} lines, ${imported} of them imported`, {
    hint: `go on with: vapora history import ${name} (what is there is not imported twice)`,
  });
}

/** A terminal, or a program that writes slowly, is not waited for once the command is to end. */
async function* untilAborted<T>(chunks: AsyncGenerator<T>, { signal, stdin }: CommandContext['io']): AsyncGenerator<T> {
  const aborted = new Promise<{ done: true; value: undefined }>((resolve) => {
    signal.addEventListener('abort', () => resolve({ done: true, value: undefined }), { once: true });
  });
  try {
    while (!signal.aborted) {
      const next = await Promise.race([chunks.next(), aborted]);
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    // Not waited for: it may be at a read that nothing ends.
    if (signal.aborted) stdin.unref?.();
    void chunks.return(undefined);
  }
}

async function* readChunks(name: string, { io }: CommandContext): AsyncGenerator<Uint8Array | string> {
  if (isStandardInput(name)) {
    const iterate = io.stdin[Symbol.asyncIterator];
    if (iterate !== undefined) yield* { [Symbol.asyncIterator]: iterate.bind(io.stdin) };
    return;
  }
  try {
    yield* createReadStream(resolve(io.cwd, name)) as AsyncIterable<Buffer>;
  } catch (error) {
    if (isAppError(error)) throw error;
    throw new AppError('bad_usage', `cannot read ${name}: ${(error as Error).message}`, { hint: 'check the path', cause: error });
  }
}
