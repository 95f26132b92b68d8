/** Cuts a text to at most `limit` characters, at a word's end where there is one, and marks the cut. */
export function truncate(text, limit, mark = '…') {
  if (!Number.isInteger(limit) || limit <= mark.length) {
    throw new RangeError(`the limit must be a whole number above ${mark.length}, not ${limit}`);
  }
  if (text.length <= limit) return text;
  const cut = text.slice(0, limit - mark.length + 1);
  const lastSpace = cut.lastIndexOf(' ');
  return (lastSpace > 0 ? cut.slice(0, lastSpace) : cut.slice(0, -1)) + mark;
}

/** The longest line of a text, cut to `limit`; ties go to the first. */
export function longestLine(text, limit) {
  let longest = '';
  for (const line of text.split('\n')) {
    const trimmed = line.trim();
    if (trimmed === '') continue;
    if (trimmed.length > longest.length) {
      longest = trimmed;
    }
  }
  if (longest === '') {
    return undefined;
  }
  return truncate(longest, limit);
}

/** How many characters of a text the limit would cut off. */
export function overflow(text, limit) {
  if (text.length <= limit) {
    return 0;
  }
  return text.length - limit;
}
