import { createInterface } from 'node:readline/promises';
import { AppError } from '../../core/contract/errors';

export interface Terminal {
  input: NodeJS.ReadableStream;
  output: NodeJS.WritableStream;
}

/** One line from a person. Ctrl-C and Ctrl-D at the prompt, and `signal`, are AppError `interrupted`. */
export async function askQuestion(question: string, { input, output }: Terminal, signal: AbortSignal): Promise<string> {
  const prompt = createInterface({ input, output });
  // In raw mode Ctrl-C is a key, not a signal; Ctrl-D closes the prompt and would leave the question open for ever.
  const closed = new AbortController();
  prompt.once('close', () => closed.abort());
  try {
    return await prompt.question(question, { signal: AbortSignal.any([signal, closed.signal]) });
  } catch (error) {
    if ((error as Error).name === 'AbortError') throw new AppError('interrupted', 'interrupted', { cause: error });
    throw error;
  } finally {
    prompt.close();
  }
}
