import { PassThrough } from 'node:stream';
import { askQuestion } from './ask-question';

/** A stream that readline takes for a terminal: keys are keys there. */
function aTerminal(): { input: PassThrough; output: PassThrough } {
  const [input, output] = [new PassThrough(), new PassThrough()];
  return { input, output: Object.assign(output, { isTTY: true, columns: 80 }) };
}

test('a line is the answer', async () => {
  const terminal = aTerminal();
  const answer = askQuestion('Approve? ', terminal, new AbortController().signal);
  terminal.input.write('yes\n');
  await expect(answer).resolves.toBe('yes');
  expect(String(terminal.output.read())).toContain('Approve? ');
});

test.each([
  ['Ctrl-C', '\u0003'],
  ['Ctrl-D', '\u0004'],
])('%s at the prompt is an interruption, not a bug', async (_, key) => {
  const terminal = aTerminal();
  const answer = askQuestion('Approve? ', terminal, new AbortController().signal);
  terminal.input.write(key);
  await expect(answer).rejects.toMatchObject({ name: 'AppError', code: 'interrupted' });
});

test('a signal ends the question', async () => {
  const interruption = new AbortController();
  const answer = askQuestion('Approve? ', aTerminal(), interruption.signal);
  interruption.abort();
  await expect(answer).rejects.toMatchObject({ code: 'interrupted' });
});
