import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Option } from 'commander';
import { AppError } from '../core/contract/errors';
import { renderDot } from '../core/graph/dot';
import { type GraphView, viewGraph } from '../core/graph/graph-view';
import { renderMermaid } from '../core/graph/mermaid';
import { renderSvg } from '../core/graph/svg';
import type { CliCommand } from './command';
import { compileSource } from './compile-file';
import { exitCodes } from './exit-codes';
import { invalidFile, noteWarnings } from './invalid-file';
import { readSource } from './read-sources';
import { formatDuration } from './render/duration';
import { renderStepRails } from './render/step-rails';
import type { RenderOptions } from './render/style';

const drawings: Readonly<Record<string, (view: GraphView, options: RenderOptions) => string>> = {
  ascii: (view, options) => `${renderStepRails(view, options)}\n`,
  mermaid: renderMermaid,
  dot: renderDot,
  svg: renderSvg,
};

/** Draws a file's steps and what they wait for. */
export const command: CliCommand = {
  configure(command) {
    command
      .argument('<file>', 'workflow file, or - for standard input')
      .addOption(
        new Option('--format <format>', 'ascii for a terminal, mermaid, dot for Graphviz, svg')
          .choices(Object.keys(drawings))
          .default('ascii'),
      )
      .option('--source-format <format>', 'of the file: yaml or toml, where the name does not say')
      .option('-o, --output <file>', 'write the drawing there instead of printing it');
  },
  async run(context) {
    const { arguments: names, io, options, isJson } = context;
    const file = await readSource(names[0] ?? '', context, options.text('sourceFormat'));
    const compiledFile = compileSource(file, { cwd: io.cwd });
    if (compiledFile.compiled === undefined) throw invalidFile(context, compiledFile);
    noteWarnings(context, compiledFile);
    const view = viewGraph(compiledFile.compiled.plan, { formatDuration });
    if (isJson) {
      context.printJson({ schemaVersion: 1, ...view });
      return exitCodes.done;
    }
    const output = options.text('output');
    const render = output === undefined ? context.render : { ...context.render, color: false };
    const drawing = drawings[options.required('format')]?.(view, render) ?? '';
    if (output === undefined) io.stdout.write(drawing);
    else writeDrawing(resolve(io.cwd, output), output, drawing);
    return exitCodes.done;
  },
};

function writeDrawing(path: string, name: string, drawing: string): void {
  try {
    writeFileSync(path, drawing);
  } catch (error) {
    throw new AppError('bad_usage', `cannot write ${name}: ${(error as Error).message}`, { hint: 'check the path', cause: error });
  }
}
