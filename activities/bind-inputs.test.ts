import { compileWorkflow } from '../core/dsl/compile';
import type { Plan } from '../core/plan/types';
import { bindInputs } from './bind-inputs';

const declared = compileWorkflow(`
Workflow: bound
inputs:
  env: string
  limit: {type: duration, default: 2h}
  retries: {type: number, required: false}
  full: {default: false}
  services: {type: list, default: [api]}
  brief: {type: file, required: false}
Steps:
  build: {agent: developer}
`).plan as Plan;
const defaults = { limit: 7_200_000, full: false, services: ['api'] };

test.each<[string, Record<string, unknown>, Record<string, unknown>]>([
  ['what is not given has its default', { env: 'dev' }, { env: 'dev', ...defaults }],
  ['a duration is in milliseconds, however it is given', { env: 'dev', limit: '1h30m' }, { env: 'dev', ...defaults, limit: 5_400_000 }],
  ['a number of milliseconds too', { env: 'dev', limit: 90_000 }, { env: 'dev', ...defaults, limit: 90_000 }],
  ['what is not declared is an artifact', { env: 'dev', notes: 'x' }, { env: 'dev', ...defaults, notes: 'x' }],
])('%s', (_, given, values) => {
  expect(bindInputs(declared, given)).toEqual({ ok: true, values });
});

test.each<[Record<string, unknown>, string]>([
  [{}, 'the input "env" is required: pass it with --input env=VALUE'],
  [{ env: 3 }, 'the input "env" must be of type string, not 3'],
  [{ env: 'dev', limit: 'soon' }, 'the input "limit" must be of type duration, not "soon"'],
  [{ env: 'dev', limit: -1 }, 'the input "limit" must be of type duration, not -1'],
  [{ env: 'dev', full: 'yes' }, 'the input "full" must be of type boolean, not "yes"'],
  [{ env: 'dev', services: 'api' }, 'the input "services" must be of type list, not "api"'],
  [{ env: 'dev', retries: Number.NaN }, 'the input "retries" must be of type number, not null'],
])('%j is refused', (given, problem) => {
  expect(bindInputs(declared, given)).toEqual({ ok: false, problems: [problem] });
});
