import { readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The parts of a .cpuprofile that are used here. */
interface CpuProfile {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[];
  /** Node ids, one per sample. */
  samples: number[];
  /** Microseconds before each sample. */
  timeDeltas: number[];
}

const shownGroups = 25;
const root = resolve(__dirname, '../..');
const ignored = /^\((idle|program|root)\)$/;

/** Self time by package, file or function of each worker's profile, largest first. */
export function summariseProfiles(dir: string): string {
  return ['ours', 'baseline']
    .map((kind) => join(dir, `${kind}.cpuprofile`))
    .map((file) => `\n${file}\n${summarise(JSON.parse(readFileSync(file, 'utf8')) as CpuProfile)}`)
    .join('\n');
}

function summarise({ nodes, samples, timeDeltas }: CpuProfile): string {
  const groupById = new Map(nodes.map(({ id, callFrame }) => [id, groupOf(callFrame)]));
  const timeByGroup = new Map<string, number>();
  for (const [index, id] of samples.entries()) {
    const group = groupById.get(id) ?? '(unknown)';
    timeByGroup.set(group, (timeByGroup.get(group) ?? 0) + (timeDeltas[index] ?? 0) / 1000);
  }
  const counted = [...timeByGroup].filter(([group]) => !ignored.test(group)).sort(([, a], [, b]) => b - a);
  const total = counted.reduce((sum, [, ms]) => sum + ms, 0);
  return counted
    .slice(0, shownGroups)
    .map(([group, ms]) => `${ms.toFixed(0).padStart(8)} ms ${((ms / total) * 100).toFixed(1).padStart(5)} %  ${group}`)
    .join('\n');
}

/** Ours by file, others' by package, Node's by function. */
function groupOf({ functionName, url }: CpuProfile['nodes'][number]['callFrame']): string {
  if (url === '') return functionName || '(native)';
  const path = url.startsWith('file:') ? fileURLToPath(url) : url;
  const inPackage = /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1];
  if (inPackage !== undefined) return `node_modules/${inPackage}/`;
  return path.startsWith(root) ? relative(root, path) : path;
}
