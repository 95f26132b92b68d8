/** Characters that show nothing, or only turn the writing round: two names that differ in them are read as one. */
const invisible = /[\p{Default_Ignorable_Code_Point}\uFFF9-\uFFFB]/gu;
const blanks = /[\p{Zs}\u2800]+/gu;

/**
 * The one form of a person's name: what looks the same is the same voter, in a vote, in `approvers` and groups, in the registry and
 * as initiator. `zed`, ` zed ` and a `zed` with a zero-width space are one. May be empty.
 */
export function personName(text: string): string {
  return text.replace(invisible, '').normalize('NFC').replace(blanks, ' ').trim();
}

/** Who did something that nobody gave a name for. */
export const unknownPerson = 'unknown';
