const tailBytes = 16 * 1024;

/** The end of what an agent has printed, to be quoted when it fails. */
export interface OutputTail {
  push(chunk: Buffer): void;
  /** The last lines so far, without empty ones. */
  lastLines(count: number): string[];
}

export function createOutputTail(): OutputTail {
  let tail = Buffer.alloc(0);
  return {
    push(chunk) {
      tail = Buffer.concat([tail, chunk]).subarray(-tailBytes);
    },
    lastLines: (count) =>
      tail
        .toString('utf8')
        .split(/\r?\n/)
        .map((line) => line.trimEnd())
        .filter((line) => line !== '')
        .slice(-count),
  };
}
