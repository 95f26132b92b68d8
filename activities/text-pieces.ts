/** In characters. The SDK warns of a marker from 512 KiB, the server refuses it from 2 MB; quotes and other scripts take more bytes. */
const pieceLength = 256 * 1024;

/** How many pieces a text is read in. */
export function countPieces(text: string): number {
  return Math.max(1, Math.ceil(text.length / pieceLength));
}

/** Piece k of a text. A cut never splits a surrogate pair, which UTF-8 could not carry. */
export function pieceOf(text: string, piece: number): string {
  const cut = (at: number): number => (isLowSurrogate(text.charCodeAt(at)) ? at + 1 : at);
  return text.slice(cut(piece * pieceLength), cut((piece + 1) * pieceLength));
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}
