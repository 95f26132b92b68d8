import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { AgentDocument, AgentResult } from '../../core/contract/agent-document';
import type { CommandExecutorSpec } from '../../core/contract/agents';
import { isSameArtifactName } from '../../core/contract/output-names';
import { badResult, notRunnable } from '../agent-failures';
import type { Secrets } from '../secrets';
import { runAgentProcess } from './agent-process';
import type { AgentProcessEnd } from './agent-process';
import { createCapturedOutput } from './captured-output';
import type { CapturedOutput } from './captured-output';
import { findProgram } from './find-program';
import { idempotencyKeyVariable } from './orphan-watchdog';
import { createOutputTail } from './output-tail';
import type { OutputTail } from './output-tail';
import { fillPlaceholders } from './placeholders';
import type { PlaceholderScope } from './placeholders';
import { createResultLines } from './result-lines';
import type { Executor, ExecutorCall } from './types';

/** What every agent gets of the worker's environment; the rest only by name. */
const basicVariables = ['PATH', 'HOME', 'LANG', 'TZ', 'TMPDIR'];
const defaultPath = '/usr/local/bin:/usr/bin:/bin';
const graceMs = 10_000;
const maxHeldBytes = 10 * 1024 * 1024;
const quotedLines = 20;
const maxQuotedLength = 2_000;
const maxQuotedLineLength = 500;
/** `TypeError: x`, `java.io.IOException: x`, `panic: x`: the line of a crash that says what is wrong. Stack lines are indented. */
const errorLine = /^(?:\S*(?:error|exception|panic|fatal)\b|thread .* panicked)/i;

/** Runs a program of this machine: the document on its standard input, JSON lines (or plain text) on its standard output. */
export const command: Executor = async (call) => {
  const { agent, document, log, secrets, signal } = call;
  const spec = agent.executor as CommandExecutorSpec;
  const workspace = await call.workspace();
  const resolved: AgentDocument = { ...(await call.resolvedDocument()), workspace };
  const scope: PlaceholderScope = { document: resolved, workspace, folder: spec.folder, secrets };
  const [programName = '', ...args] = await Promise.all(spec.argv.map((element) => fillPlaceholders(element, scope)));
  const cwd = await findDirectory(
    agent.id,
    spec.cwd === undefined ? workspace : resolve(workspace, await fillPlaceholders(spec.cwd, scope)),
  );
  const env = await buildEnvironment(spec, scope);
  const program = await findProgram(programName, { path: env['PATH'] ?? defaultPath, cwd });
  if (!program.ok) throw notRunnable(`agent ${agent.id}: ${program.reason}; ${program.remedy}`);
  signal.throwIfAborted();

  const said: Said = { stdout: createOutputTail(), stderr: createOutputTail() };
  const stdout = createCapturedOutput({ limitBytes: maxHeldBytes, file: resolve(workspace, 'stdout.log') });
  const lines = createResultLines({ onProgress: call.onProgress, maxLineBytes: maxHeldBytes });
  await log.note(`attempt ${call.attempt}: ${program.path}`);
  const end = await runAgentProcess({
    program: program.path,
    args,
    cwd,
    env,
    stdin: `${JSON.stringify(resolved)}\n`,
    idempotencyKey: document.idempotencyKey,
    signal,
    timeoutMs: spec.timeoutMs,
    graceMs,
    onStdout: async (chunk) => {
      await log.write('stdout', chunk);
      said.stdout.push(chunk);
      await (spec.plain ? stdout.push(chunk) : lines.push(chunk));
    },
    onStderr: async (chunk) => {
      await log.write('stderr', chunk);
      said.stderr.push(chunk);
    },
  });
  await log.note(end.stopped === null ? describeEnd(end) : `was stopped (${end.stopped})`);
  if (end.stopped === 'cancel') throw signal.reason;
  if (end.stopped === 'timeout') return failed(`took longer than ${(spec.timeoutMs ?? 0) / 1000} s and was stopped`, call, said.stderr);
  return spec.plain ? readPlain(end, { call, stdout, said, workspace }) : readResult(end, { call, lines, said });
};

/** The last lines of both outputs. */
interface Said {
  stdout: OutputTail;
  stderr: OutputTail;
}

async function findDirectory(agentId: string, path: string): Promise<string> {
  const isDirectory = await stat(path).then(
    (entry) => entry.isDirectory(),
    () => false,
  );
  if (!isDirectory) throw notRunnable(`agent ${agentId}: the directory ${path} of its executor's cwd does not exist on this worker`);
  return path;
}

/** `env` holds names to copy and `NAME=value` entries, whose values may have placeholders and secrets. */
async function buildEnvironment(spec: CommandExecutorSpec, scope: PlaceholderScope): Promise<Record<string, string>> {
  const env: Record<string, string> = {};
  for (const entry of [...basicVariables, ...(spec.env ?? [])]) {
    const [name = '', ...value] = entry.split('=');
    if (value.length > 0) env[name] = await fillPlaceholders(value.join('='), scope);
    else {
      const inherited = process.env[name];
      if (inherited === undefined) continue;
      env[name] = inherited;
      scope.secrets.hideVariable(name, inherited);
    }
  }
  env['PATH'] ??= defaultPath;
  env[idempotencyKeyVariable] = scope.document.idempotencyKey;
  return env;
}

function readResult(
  end: AgentProcessEnd,
  { call, lines, said }: { call: ExecutorCall; lines: ReturnType<typeof createResultLines>; said: Said },
): unknown {
  const read = lines.end();
  if (isCleanEnd(end)) {
    if (read.ok) return read.raw;
    throw badResult(`agent ${call.agent.id} ended, but ${read.problem}${quoteLast(call.secrets, said.stderr)}`);
  }
  // An agent may report its failure and exit with another code than 0; that it succeeded, it may not.
  if (read.ok && (read.raw as { status?: unknown }).status === 'failure') return read.raw;
  return failed(describeEnd(end), call, said.stderr);
}

/** The exit code is the status, the text an output: the first promised one that the agent did not write as a file itself. */
async function readPlain(
  end: AgentProcessEnd,
  { call, stdout, said, workspace }: { call: ExecutorCall; stdout: CapturedOutput; said: Said; workspace: string },
): Promise<AgentResult> {
  const captured = await stdout.end();
  if (!isCleanEnd(end)) return failed(describeEnd(end), call, said.stderr, said.stdout);
  const outputs: NonNullable<AgentResult['outputs']> = {};
  for (const name of call.document.outputs) {
    if (await isFile(resolve(workspace, name))) outputs[name] = { path: name };
  }
  const text = captured.file === undefined ? captured.bytes.toString('utf8') : { path: captured.file };
  const name = call.document.outputs.find((promised) => !Object.hasOwn(outputs, promised)) ?? 'output';
  if (!Object.keys(outputs).some((written) => isSameArtifactName(written, name))) outputs[name] = text;
  const [summary] = said.stdout.lastLines(1);
  return { status: 'success', ...(summary !== undefined && { summary }), outputs };
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (entry) => entry.isFile(),
    () => false,
  );
}

function isCleanEnd({ exitCode }: AgentProcessEnd): boolean {
  return exitCode === 0;
}

function describeEnd({ exitCode, killedBy }: AgentProcessEnd): string {
  return killedBy === null ? `exited with code ${exitCode}` : `was killed by ${killedBy}`;
}

function failed(what: string, { agent, secrets }: ExecutorCall, ...said: OutputTail[]): AgentResult {
  return { status: 'failure', summary: `${agent.id} ${what}${quoteLast(secrets, ...said)}` };
}

function quoteLast(secrets: Secrets, ...said: OutputTail[]): string {
  const lines = said.map((output) => output.lastLines(Infinity)).find((last) => last.length > 0);
  // Redacted before it is cut: half a secret is not recognised any more.
  return lines === undefined ? '' : `; its last lines: ${linesToQuote(lines.map((line) => secrets.redact(line))).join(' ⏎ ')}`;
}

/** The last lines within the limits, and before them the last line that names an error, wherever it stands. */
function linesToQuote(lines: readonly string[]): string[] {
  const short = lines.map((line) => (line.length > maxQuotedLineLength ? `${line.slice(0, maxQuotedLineLength)}…` : line));
  const namedAt = short.findLastIndex((line) => errorLine.test(line));
  let from = Math.max(0, short.length - quotedLines);
  const quoted = (): string[] => (namedAt >= 0 && namedAt < from ? [short[namedAt] ?? '', ...short.slice(from)] : short.slice(from));
  while (from < short.length - 1 && quoted().join(' ⏎ ').length > maxQuotedLength) from += 1;
  return quoted();
}
