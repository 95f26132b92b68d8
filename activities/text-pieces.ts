import { deflateRawSync } from 'node:zlib';

/** A text of at most so many characters stands in a marker as it is. The SDK warns of a marker from 512 KiB. */
export const maxInlineLength = 256 * 1024;
/** Of what is compressed. The server refuses a marker from 2 MB, and an answer of the worker from 4 MB. */
const pieceBytes = 1024 * 1024;

/** A long text as it travels to the workflow: deflated, in pieces. */
export function createTextPieces() {
  let newest: { key: string; bytes: Buffer } | undefined;

  /** `key` names the text: it is compressed once for all of its pieces. */
  function deflated(key: string, text: string): Buffer {
    if (newest?.key !== key) newest = { key, bytes: deflateRawSync(text) };
    return newest.bytes;
  }

  return {
    count: (key: string, text: string): number => Math.max(1, Math.ceil(deflated(key, text).length / pieceBytes)),
    piece(key: string, text: string, piece: number): Uint8Array {
      return new Uint8Array(deflated(key, text).subarray(piece * pieceBytes, (piece + 1) * pieceBytes));
    },
  };
}

export type TextPieces = ReturnType<typeof createTextPieces>;

/** Piece k of a plan as runs from before there was compression read it. A cut never splits a surrogate pair, which UTF-8 could not carry. */
export function plainPieceOf(text: string, piece: number): string {
  const cut = (at: number): number => (isLowSurrogate(text.charCodeAt(at)) ? at + 1 : at);
  return text.slice(cut(piece * maxInlineLength), cut((piece + 1) * maxInlineLength));
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}
