import { userInfo } from 'node:os';

/** The name of the user who types. */
export function currentUser(): string {
  try {
    return userInfo().username;
  } catch {
    // A container's user need not have a name.
    return `uid-${process.getuid?.() ?? 'unknown'}`;
  }
}
