import type { CliOutput } from './command';
import { terminalSize, textWidth } from './render/style';

/**
 * A block of text at the end of a terminal that is redrawn in place. Each frame is one write of whole lines over the old ones,
 * so nothing flickers; what is below the new frame is cleared last.
 */
export class LiveFrame {
  readonly #output: CliOutput;
  #rows = 0;
  #text = '';

  constructor(output: CliOutput) {
    this.#output = output;
    // The cursor would jump about otherwise.
    output.write('\u001b[?25l');
  }

  draw(text: string): void {
    if (text === this.#text) return;
    const lines = this.#fit(text.split('\n'));
    const up = this.#rows === 0 ? '' : `\u001b[${this.#rows}A`;
    this.#output.write(`\r${up}${lines.map((line) => `${line}\u001b[K\n`).join('')}\u001b[J`);
    this.#rows = lines.reduce((rows, line) => rows + this.#rowsOf(line), 0);
    this.#text = text;
  }

  /** Leaves the last frame standing and gives the cursor back. */
  close(): void {
    this.#output.write('\u001b[?25h');
  }

  /** A frame higher than the terminal could not be redrawn in place. */
  #fit(lines: string[]): string[] {
    const room = terminalSize(this.#output).rows - 1;
    let rows = 0;
    const shown: string[] = [];
    for (const line of lines) {
      rows += this.#rowsOf(line);
      if (rows > room) break;
      shown.push(line);
    }
    return shown;
  }

  /** Lines that may not be cut wrap. */
  #rowsOf(line: string): number {
    return Math.max(1, Math.ceil(textWidth(line) / terminalSize(this.#output).columns));
  }
}
