import { sleep } from '@temporalio/workflow';
import { inflateSync } from 'fflate/browser';

/**
 * A long text that an activity gives deflated, piece by piece. Local activities of one workflow task are answered for in one message,
 * which may have 4 MB: from the second piece on, each has a task of its own.
 */
export async function readPieces(count: number, load: (piece: number) => Promise<Uint8Array>): Promise<string> {
  const pieces: Uint8Array[] = [];
  for (let piece = 0; piece < count; piece += 1) {
    if (piece > 0) await sleep(1);
    pieces.push(await load(piece));
  }
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return new TextDecoder().decode(inflateSync(bytes));
}
