import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import type { VaporaClient } from '../../client/connect';
import { getArtifact, getTask } from '../../client/run-views';
import type { AgentDocument, AgentInputValue } from '../../core/contract/agent-document';
import { commandOfTask } from '../../core/engine/decide-command';
import type { CliCommand } from '../command';
import { exitCodes } from '../exit-codes';
import { openClient } from '../open-client';
import { addConnectionOptions, addIdOption } from '../option-parsers';
import { plainText } from '../render/style';

/** What a person is asked to do, in full: the document that any agent gets, and its inputs as files. */
export const command: CliCommand = {
  configure(command) {
    addIdOption(command)
      .requiredOption('--step <id>', "the step, as 'vapora gates' shows it")
      .option('--agent <id>', 'whose task it is, where several people do the step')
      .option('--task <id>', 'exactly this task')
      .option('--dir <folder>', 'write the inputs there, one file each');
    addConnectionOptions(command);
  },
  async run(context) {
    const { options, io } = context;
    const client = openClient(context);
    const document = await getTask(client, options.required('id'), {
      step: options.required('step'),
      agent: options.text('agent'),
      task: options.text('task'),
    });
    const folder = options.text('dir');
    const files = folder === undefined ? new Map<string, string>() : await writeInputs(client, document, resolve(io.cwd, folder));
    const shown = new Map([...files].map(([name, path]) => [name, relative(io.cwd, path)]));
    if (context.isJson) context.printJson({ ...document, files: Object.fromEntries(shown) });
    else context.print(renderTask(document, shown));
    return exitCodes.done;
  },
};

/** Gives the path of each input that somebody has given. */
async function writeInputs(client: VaporaClient, { inputs }: AgentDocument, folder: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  mkdirSync(folder, { recursive: true });
  for (const [name, { text, json, artifact }] of Object.entries(inputs)) {
    if (text === undefined && json === undefined && artifact === undefined) continue;
    const path = join(folder, fileNameOf(name));
    writeFileSync(path, artifact === undefined ? (text ?? `${JSON.stringify(json, null, 2)}\n`) : await getArtifact(client, artifact));
    files.set(name, path);
  }
  return files;
}

/** A name of the workflow's making stays in the folder. */
function fileNameOf(name: string): string {
  return name.replace(/[^\p{L}\p{N}_.-]/gu, '_').replace(/^\.+/, '_');
}

function renderTask(document: AgentDocument, files: ReadonlyMap<string, string>): string {
  const { step, agent, mode, action, tasks, outputs, inputs, comments = [], undo, deadline } = document;
  const lines = [`${plainText(step.title ?? step.id)} (${mode === 'undo' ? 'to be undone by' : 'asked of'} ${plainText(agent.id)})`];
  if (action !== undefined) lines.push(`action: ${plainText(action)}`);
  for (const task of tasks) lines.push(`- ${plainText(task)}`);
  if (deadline !== undefined) lines.push(`until: ${deadline}`);
  if (outputs.length > 0) lines.push(`to deliver: ${outputs.map(plainText).join(', ')}`);
  for (const { from, text } of comments) lines.push(`${plainText(from)} says: ${plainText(text)}`);
  if (undo !== undefined)
    lines.push(`was reported: ${undo.result === undefined ? 'nobody knows' : plainText(JSON.stringify(undo.result))}`);
  for (const [name, value] of Object.entries(inputs)) lines.push(`input ${plainText(name)}: ${inputText(value, files.get(name))}`);
  lines.push(`when it is done: ${commandOfTask({ run: document.run.id, step: step.id, agent: agent.id, outputs })}`);
  return lines.join('\n');
}

function inputText({ text, json, artifact, absent }: AgentInputValue, file: string | undefined): string {
  if (file !== undefined) return file;
  if (absent === true) return 'nobody gave it';
  if (artifact !== undefined) return `${artifact} (--dir FOLDER writes it to a file)`;
  const lines = (text ?? JSON.stringify(json, null, 2)).split('\n').map(plainText);
  return lines.length === 1 ? (lines[0] ?? '') : lines.map((line) => `\n  ${line}`).join('');
}
