/** Cuts a text to at most `limit` characters, at a word's end where there is one, and marks the cut. */
export function truncate(text, limit, mark = '…') {
  if (!Number.isInteger(limit) || limit <= mark.length) {
    throw new RangeError(`the limit must be a whole number above ${mark.length}, not ${limit}`);
  }
  if (text.length <= limit) return text;
  const cut = text.slice(0, limit + 1);
  const lastSpace = cut.lastIndexOf(' ');
  return (lastSpace > 0 ? cut.slice(0, lastSpace) : cut.slice(0, -1)) + mark;
}
