/** Roles that every workflow may use without a registry: those of the seed. */
export const builtInRoles = [
  'architect',
  'project-manager',
  'decision-maker',
  'developer',
  'code-reviewer',
  'tester',
  'security',
  'documenter',
  'devops',
  'monitor',
  'marketer',
] as const;

/**
 * A role as written to its name: built-in roles first, compared without case, hyphens and spaces (`ProjectManager` =
 * `project-manager`, `DevOps` = `devops`), else its words in lower case joined by hyphens (`QAEngineer` = `qa-engineer`). A
 * registry has no say: the same text gives the same plan everywhere.
 */
export function normalizeRole(written: string): string {
  const name = written.slice(0, 200);
  const letters = lettersOf(name);
  const known = builtInByLetters.get(letters);
  if (known !== undefined) return known;
  return name
    .trim()
    .replace(/(\p{Lu})(\p{Lu}\p{Ll})/gu, '$1-$2')
    .replace(/([\p{Ll}\p{N}])(\p{Lu})/gu, '$1-$2')
    .replace(/[\s_-]+/gu, '-')
    .toLowerCase();
}

/** The role itself and what it falls back to along its hyphens: `a-b-c` → `a-b-c`, `a-b`, `a`. */
export function roleFallbacks(role: string): string[] {
  const parts = role.split('-');
  return parts.map((_, index) => parts.slice(0, parts.length - index).join('-'));
}

/** True when the role is one of the names, or a narrower one (`code-reviewer-backend` is a `code-reviewer`). */
export function isRole(role: string, ...names: string[]): boolean {
  return names.some((name) => role === name || role.startsWith(`${name}-`));
}

const builtInByLetters: ReadonlyMap<string, string> = new Map(builtInRoles.map((role) => [lettersOf(role), role]));

function lettersOf(text: string): string {
  return text.toLowerCase().replace(/[\s_-]/gu, '');
}
