import { compileWorkflow } from '../../core/dsl/compile';
import { findBrokenPromises } from '../../test/support/compile-promises';

/** A text for the compiler, and what came of it: between this process and the one that watches it. */
export interface CompileRequest {
  input: string | Uint8Array;
  format: 'yaml' | 'toml';
}

export interface CompileAnswer {
  isPlan: boolean;
  /** Of the diagnostics, each once. */
  errors: string[];
  others: string[];
  /** Promises that the answer breaks, or what was thrown. */
  broken: string[];
  ms: number;
}

function answer({ input, format }: CompileRequest): CompileAnswer {
  const started = performance.now();
  try {
    const result = compileWorkflow(input, { format });
    const ms = performance.now() - started;
    const codes = (isError: boolean): string[] =>
      [...new Set(result.diagnostics.filter(({ severity }) => (severity === 'error') === isError).map(({ code }) => code))].sort();
    return { isPlan: result.plan !== null, errors: codes(true), others: codes(false), broken: findBrokenPromises(result), ms };
  } catch (error) {
    const thrown = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { isPlan: false, errors: [], others: [], broken: [`thrown: ${thrown}`], ms: performance.now() - started };
  }
}

process.on('message', (request: CompileRequest) => process.send?.(answer(request)));
process.on('disconnect', () => process.exit(0));
