import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AgentDocument, AgentInputValue } from '../core/contract/agent-document';
import { agentFailure } from './agent-failures';
import { isText } from '../db/media-type';
import type { ArtifactStore } from './artifacts';
import { fileNameOf } from './workspace';

/** Text up to this size stands in the document itself; an agent reads a larger one from its file. */
const maxInlineBytes = 64 * 1024;

/** Turns every artifact reference into the text, or into a file `inputs/<name>` of the workspace. */
export async function resolveInputs(
  document: AgentDocument,
  { artifacts, workspace }: { artifacts: ArtifactStore; workspace: () => Promise<string> },
): Promise<AgentDocument> {
  const inputs: [string, AgentInputValue][] = [];
  for (const [name, value] of Object.entries(document.inputs)) {
    inputs.push([name, value.artifact === undefined ? value : await resolveArtifact(name, value.artifact)]);
  }
  return { ...document, inputs: Object.fromEntries(inputs) };

  async function resolveArtifact(name: string, ref: string): Promise<AgentInputValue> {
    const found = await artifacts.find(ref);
    if (found === null) throw agentFailure(`the input "${name}" is the artifact ${ref}, which is not in the store of this worker`);
    const { bytes } = found;
    const sha256 = ref.replace('sha256:', '');
    if (bytes.length <= maxInlineBytes && isText(bytes)) return { text: bytes.toString('utf8'), sha256 };
    const folder = join(await workspace(), 'inputs');
    await mkdir(folder, { recursive: true });
    const path = join(folder, fileNameOf(name));
    await writeFile(path, bytes);
    return { path, sha256 };
  }
}
