import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks a second of /proc: 100 on every Linux that Node runs on. */
const ticksPerSecond = 100;

interface ProcessTimes {
  pid: number;
  parent: number;
  ticks: number;
}

/** CPU time used so far by these processes and their descendants, in ms; undefined where there is no /proc. */
export function readCpuMsOfTrees(rootPids: readonly number[]): number | undefined {
  const processes = listProcesses();
  if (processes === undefined) return undefined;
  const wanted = new Set(rootPids);
  // Children are created after their parents, but pids wrap around: repeat until nothing is added.
  for (let before = -1; before !== wanted.size;) {
    before = wanted.size;
    for (const { pid, parent } of processes) if (wanted.has(parent)) wanted.add(pid);
  }
  const ticks = processes.filter(({ pid }) => wanted.has(pid)).reduce((sum, each) => sum + each.ticks, 0);
  return (ticks * 1000) / ticksPerSecond;
}

function listProcesses(): ProcessTimes[] | undefined {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name) => readTimes(Number(name)) ?? []);
  } catch {
    return undefined;
  }
}

function readTimes(pid: number): ProcessTimes | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold anything; the numbers begin after the last one.
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const [, parent = 0] = fields;
    const [user = 0, system = 0, childrenUser = 0, childrenSystem = 0] = fields.slice(11, 15);
    return { pid, parent, ticks: user + system + childrenUser + childrenSystem };
  } catch {
    return undefined; // it ended meanwhile
  }
}
