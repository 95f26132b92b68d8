const newline = 0x0a;

export interface LineSplitter {
  push(chunk: Buffer): void;
  /** The last line may have no newline. */
  end(): void;
}

/** Cuts output into lines. Of a line beyond the limit only its beginning is held: memory is not the agent's to fill. */
export function createLineSplitter({
  maxLineBytes,
  onLine,
}: {
  maxLineBytes: number;
  onLine: (line: Buffer, isCut: boolean) => void;
}): LineSplitter {
  let held: Buffer[] = [];
  let heldBytes = 0;
  let lineBytes = 0;

  function hold(part: Buffer): void {
    lineBytes += part.length;
    const room = maxLineBytes - heldBytes;
    if (room <= 0 || part.length === 0) return;
    const kept = part.subarray(0, room);
    held.push(kept);
    heldBytes += kept.length;
  }

  function endLine(): void {
    const line = Buffer.concat(held);
    const isCut = lineBytes > maxLineBytes;
    held = [];
    heldBytes = 0;
    lineBytes = 0;
    onLine(line, isCut);
  }

  return {
    push(chunk) {
      let start = 0;
      for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
        hold(chunk.subarray(start, end));
        endLine();
        start = end + 1;
      }
      hold(chunk.subarray(start));
    },
    end() {
      if (lineBytes > 0) endLine();
    },
  };
}
