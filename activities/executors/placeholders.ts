import type { AgentDocument, AgentInputValue } from '../../core/contract/agent-document';
import { isSameArtifactName } from '../../core/contract/output-names';
import { notRunnable } from '../agent-failures';
import type { Secrets } from '../secrets';

const pattern = /\{\{\s*([^{}]+?)\s*\}\}|\$\{secret:([A-Za-z_][A-Za-z0-9_]*)\}/g;
const known =
  '{{workspace}}, {{folder}}, {{inputs.NAME}}, {{with.NAME}}, {{item}}, {{item.NAME}}, {{action}}, {{mode}}, {{step.id}}, {{run.id}}, {{agent.id}}';

export interface PlaceholderScope {
  /** Inputs resolved. */
  document: AgentDocument;
  workspace: string;
  /** Of the agents file. */
  folder?: string | undefined;
  secrets: Secrets;
}

/**
 * Replaces `{{…}}` and `${secret:NAME}` in one pass: what is put in is never looked at again, so neither an input nor a secret
 * can smuggle a placeholder in.
 */
export async function fillPlaceholders(template: string, scope: PlaceholderScope): Promise<string> {
  const parts: string[] = [];
  let end = 0;
  for (const match of template.matchAll(pattern)) {
    const [whole, expression, secret] = match;
    parts.push(template.slice(end, match.index));
    parts.push(secret === undefined ? valueOf(expression ?? '', template, scope) : await scope.secrets.resolve(secret));
    end = match.index + whole.length;
  }
  return parts.join('') + template.slice(end);
}

function valueOf(expression: string, template: string, { document, workspace, folder }: PlaceholderScope): string {
  const [head = '', ...rest] = expression.split('.');
  const tail = rest.join('.');
  const missing = (what: string): Error => notRunnable(`"${template}" asks for {{${expression}}}, but ${what}`);
  switch (head) {
    case 'workspace':
      if (tail === '') return workspace;
      break;
    case 'folder':
      if (tail !== '') break;
      if (folder === undefined)
        throw missing('the run does not know where its agents file lies: start it with the CLI, or write the path in full');
      return folder;
    case 'inputs': {
      const input = findInput(document, tail);
      if (input === undefined) throw missing(`the step has no input "${tail}": name it in the step's input`);
      const value = input.text ?? input.path ?? (input.json === undefined ? undefined : asText(input.json));
      if (value === undefined) throw missing(`nobody produced the input "${tail}": pass it with --input ${tail}=VALUE`);
      return value;
    }
    case 'with':
    case 'item': {
      const value = lookUp(head === 'with' ? document.with : document.item, rest);
      if (value === undefined) throw missing(head === 'with' ? "the step's `with` has no such key" : 'the step has no such item');
      return asText(value);
    }
    case 'action':
      if (tail === '') return document.action ?? '';
      break;
    case 'mode':
      if (tail === '') return document.mode;
      break;
    case 'step':
    case 'run':
    case 'agent':
      if (tail === 'id') return document[head].id;
      break;
  }
  throw missing(`there is no such placeholder; known are ${known}`);
}

function findInput({ inputs }: AgentDocument, name: string): AgentInputValue | undefined {
  if (Object.hasOwn(inputs, name)) return inputs[name];
  return Object.entries(inputs).find(([candidate]) => isSameArtifactName(candidate, name))?.[1];
}

function lookUp(root: unknown, keys: string[]): unknown {
  let value = root;
  for (const key of keys) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value ?? undefined;
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
