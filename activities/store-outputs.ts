import { readFile, realpath, stat } from 'node:fs/promises';
import { isAbsolute, resolve, sep } from 'node:path';
import type { AgentResult, ArtifactRef } from '../core/contract/agent-document';
import { badResult } from './agent-failures';
import { isText, mediaTypeOf } from '../db/media-type';
import { artifactOf } from './artifacts';
import type { Artifact } from './artifacts';
import type { Secrets } from './secrets';

/** Text up to this size stays in the result; Temporal's history keeps it. */
const maxInlineBytes = 4 * 1024;
/** What all such texts of one result may weigh together, as JSON; the rest become references. */
const maxInlineTotalBytes = 64 * 1024;
const maxOutputs = 1_000;
/** Of the whole result as it travels: one that Temporal refuses after it was recorded would be worked for a second time. */
const maxStoredBytes = 256 * 1024;
const maxArtifactBytes = 100 * 1024 * 1024;

export interface StoredOutputs {
  result: AgentResult;
  artifacts: Artifact[];
}

/** Turns large texts and files into references. A file must lie in the step's workspace: a path is data an agent made up. */
export async function storeOutputs(
  result: AgentResult,
  { workspace, secrets }: { workspace: () => Promise<string>; secrets: Secrets },
): Promise<StoredOutputs> {
  if (result.outputs === undefined) return { result, artifacts: [] };
  const count = Object.keys(result.outputs).length;
  if (count > maxOutputs) throw badResult(`the result has ${count} outputs, more than ${maxOutputs}: pack them into one file`);
  const artifacts: Artifact[] = [];
  const outputs: [string, string | ArtifactRef][] = [];
  let inlineBytes = 0;
  const staysInline = (text: string): boolean => {
    if (Buffer.byteLength(text) > maxInlineBytes) return false;
    const sizeBytes = jsonBytes(text);
    if (inlineBytes + sizeBytes > maxInlineTotalBytes) return false;
    inlineBytes += sizeBytes;
    return true;
  };
  for (const [name, output] of Object.entries(result.outputs)) {
    if (typeof output === 'string' && staysInline(output)) outputs.push([name, output]);
    else if (typeof output !== 'string' && 'artifact' in output) outputs.push([name, output]);
    else {
      const bytes = typeof output === 'string' ? Buffer.from(output) : await readOutputFile(name, output.path, await workspace());
      const artifact = artifactOf(redactBytes(bytes, secrets), mediaTypeOf(name, bytes));
      artifacts.push(artifact);
      outputs.push([name, { artifact: artifact.ref, mediaType: artifact.mediaType, sizeBytes: artifact.bytes.length }]);
    }
  }
  const stored = { ...result, outputs: Object.fromEntries(outputs) };
  const sizeBytes = jsonBytes(stored);
  if (sizeBytes > maxStoredBytes) {
    throw badResult(
      `the result has ${sizeBytes} bytes with its outputs by reference, more than ${maxStoredBytes}: return fewer outputs or less text`,
    );
  }
  return { result: stored, artifacts };
}

function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

async function readOutputFile(name: string, path: string, workspace: string): Promise<Buffer> {
  const root = await realpath(workspace);
  const found = await realpath(isAbsolute(path) ? path : resolve(root, path)).catch(() => undefined);
  if (found === undefined) throw badResult(`outputs.${name}: there is no file ${JSON.stringify(path)} in the step's workspace`);
  if (!found.startsWith(root + sep)) {
    throw badResult(`outputs.${name}: ${JSON.stringify(path)} lies outside the step's workspace; copy the file into it`);
  }
  const { size, isFile } = await stat(found).then((entry) => ({ size: entry.size, isFile: entry.isFile() }));
  if (!isFile) throw badResult(`outputs.${name}: ${JSON.stringify(path)} is not a file; pack a directory into one file`);
  if (size > maxArtifactBytes) throw badResult(`outputs.${name}: ${JSON.stringify(path)} has ${size} bytes, more than ${maxArtifactBytes}`);
  return readFile(found);
}

function redactBytes(bytes: Buffer, secrets: Secrets): Buffer {
  return secrets.isEmpty || !isText(bytes) ? bytes : Buffer.from(secrets.redact(bytes.toString('utf8')));
}
