/**
 * How wide a text is about, where no font can be asked: shares of the font size by kind of character, for the usual sans-serif
 * fonts, a little generous.
 */
export function measureText(text: string, fontSize: number): number {
  let width = 0;
  for (const character of text) width += widthOf(character);
  return width * fontSize;
}

function widthOf(character: string): number {
  if (/\p{M}|\p{Cf}/u.test(character)) return 0;
  if (
    /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Extended_Pictographic}\u3000-\u303f\uff00-\uff60]/u.test(
      character,
    )
  )
    return 1.05;
  if (/[iljtfI.,:;'|! ()[\]]/u.test(character)) return 0.36;
  if (/[mwMW@%]/u.test(character)) return 0.9;
  return /[\p{Lu}&]/u.test(character) ? 0.7 : 0.57;
}

/** The text, cut with an ellipsis where it has no room. */
export function fitText(text: string, room: number, fontSize: number): string {
  if (measureText(text, fontSize) <= room) return text;
  let [shown, width] = ['', widthOf('…') * fontSize];
  for (const character of text) {
    width += widthOf(character) * fontSize;
    if (width > room) break;
    shown += character;
  }
  return `${shown.trimEnd()}…`;
}

/** The text on at most so many lines, broken at spaces, a long name also after its `_`, `.` and `-`; the last one is cut. */
export function wrapText(text: string, room: number, fontSize: number, maxLines: number): string[] {
  const parts = text.split(/(?<= )/u).flatMap((word) => (measureText(word, fontSize) > room ? word.split(/(?<=[_.-])/u) : [word]));
  const lines: string[] = [];
  let line = '';
  for (const part of parts) {
    if (line !== '' && lines.length + 1 < maxLines && measureText((line + part).trimEnd(), fontSize) > room) {
      lines.push(line);
      line = part;
    } else line += part;
  }
  return [...lines, line].map((each) => fitText(each.trim(), room, fontSize));
}
