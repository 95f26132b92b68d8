/** `design_doc` and `design_doc.md` are the same artifact; `design.md` and `design.txt` are not. */
export function isSameArtifactName(one: string, other: string): boolean {
  if (one === other) return true;
  const [short, long] = one.length < other.length ? [one, other] : [other, one];
  return long.startsWith(`${short}.`) && !long.slice(short.length + 1).includes('.');
}

/** Gives outputs the names the step promised them under, and tells which promised ones are missing. */
export function matchOutputs<T>(
  promised: readonly string[],
  delivered: Record<string, T>,
): { outputs: Record<string, T>; missing: string[] } {
  const left = new Map(Object.entries(delivered));
  const outputs: [string, T][] = [];
  const missing: string[] = [];
  for (const exactOnly of [true, false]) {
    const wanted = exactOnly ? promised : missing.splice(0);
    for (const name of wanted) {
      const key = left.has(name) ? name : exactOnly ? undefined : [...left.keys()].find((candidate) => isSameArtifactName(name, candidate));
      if (key === undefined) missing.push(name);
      else {
        outputs.push([name, left.get(key) as T]);
        left.delete(key);
      }
    }
  }
  return { outputs: Object.fromEntries([...outputs, ...left]), missing };
}
