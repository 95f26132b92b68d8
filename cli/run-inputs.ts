import { extname, resolve } from 'node:path';
import { AppError } from '../core/contract/errors';
import type { PlanInput } from '../core/plan/types';
import { readText } from './read-files';

/**
 * `--input k=v` and `--input k=@file` → the run's inputs. A declared input gets its declared type; an undeclared one is an
 * artifact: text, or JSON where the file is `.json`.
 */
export function parseInputs(written: readonly string[], declared: readonly PlanInput[], cwd: string): Record<string, unknown> {
  const inputs = new Map<string, unknown>();
  for (const argument of written) {
    const equals = argument.indexOf('=');
    if (equals <= 0)
      throw new AppError('bad_usage', `--input ${argument} has no value`, { hint: 'write --input name=value, or name=@file' });
    const name = argument.slice(0, equals);
    const value = argument.slice(equals + 1);
    if (inputs.has(name))
      throw new AppError('bad_usage', `--input ${name} is given twice`, { hint: 'give it once; a list is written a,b,c or as JSON' });
    const declaration = declared.find((input) => input.name === name);
    inputs.set(
      name,
      value.startsWith('@') ? readInputFile(name, value.slice(1), declaration, cwd) : parseValue(name, value, declaration?.type),
    );
  }
  return Object.fromEntries(inputs);
}

function readInputFile(name: string, file: string, declaration: PlanInput | undefined, cwd: string): unknown {
  const text = readText(resolve(cwd, file), file);
  const isText = declaration?.type === 'string' || declaration?.type === 'file';
  if (extname(file).toLowerCase() === '.json' && !isText) return parseJson(name, text, `${file} is not JSON`);
  return declaration === undefined ? text : parseValue(name, isText ? text : text.trim(), declaration.type);
}

/** Text as a value of the declared type. AppError `bad_usage` where it is none. */
export function parseValue(name: string, text: string, type: PlanInput['type'] | undefined): unknown {
  switch (type) {
    case 'number': {
      const value = Number(text);
      if (text.trim() === '' || !Number.isFinite(value)) throw wrongType(name, text, 'a number');
      return value;
    }
    case 'boolean':
      if (text !== 'true' && text !== 'false') throw wrongType(name, text, 'true or false');
      return text === 'true';
    case 'list':
      return parseList(name, text);
    case 'string':
    case 'duration':
    case 'file':
    case undefined:
      return text;
  }
}

function parseList(name: string, text: string): unknown[] {
  if (text.trim() === '') return [];
  if (!text.trimStart().startsWith('[')) return text.split(',').map((item) => item.trim());
  const value = parseJson(name, text, `${text} is not a JSON list`);
  if (!Array.isArray(value)) throw wrongType(name, text, 'a list');
  return value;
}

function parseJson(name: string, text: string, problem: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new AppError('bad_usage', `--input ${name}: ${problem}: ${(error as Error).message}`, { hint: 'check the JSON', cause: error });
  }
}

function wrongType(name: string, text: string, expected: string): AppError {
  return new AppError('bad_usage', `--input ${name}=${text} is not ${expected}`, { hint: `the workflow declares ${name} so` });
}
