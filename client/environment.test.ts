import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resolveEnvironment } from './environment';

let root: string;
let nested: string;
const dev = {
  state: 'ready',
  owner: { pid: process.pid },
  temporalAddress: '127.0.0.1:17233',
  temporalNamespace: 'default',
  databaseUrl: 'postgres://app:secret@127.0.0.1:15432/vapora',
  adminDatabaseUrl: 'postgres://owner:secret@127.0.0.1:15432/vapora',
  uiUrl: 'http://127.0.0.1:18233',
};

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'vapora-environment-')));
  nested = join(root, 'project', 'deep');
  mkdirSync(nested, { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function writeDevFile(content: unknown, folder = join(root, 'project')): void {
  mkdirSync(join(folder, '.vapora'), { recursive: true });
  writeFileSync(join(folder, '.vapora', 'dev.json'), typeof content === 'string' ? content : JSON.stringify(content));
}

function writeProfile(text: string): NodeJS.ProcessEnv {
  mkdirSync(join(root, 'config', 'temporalio'), { recursive: true });
  writeFileSync(join(root, 'config', 'temporalio', 'temporal.toml'), text);
  return { XDG_CONFIG_HOME: join(root, 'config') };
}

const noProfile = (): NodeJS.ProcessEnv => ({ XDG_CONFIG_HOME: join(root, 'no-config') });
const addresses = (environment: ReturnType<typeof resolveEnvironment>) => [environment.temporalAddress, environment.databaseUrl];

test('nothing anywhere: the usual local addresses', () => {
  const environment = resolveEnvironment({}, noProfile(), nested);
  expect(environment).toMatchObject({ temporalAddress: '127.0.0.1:7233', namespace: 'default', taskQueue: 'vapora', connection: {} });
});

test('the nearest dev.json upward', () => {
  writeDevFile({ ...dev, temporalAddress: '127.0.0.1:1' }, root);
  writeDevFile(dev);
  const environment = resolveEnvironment({}, noProfile(), nested);
  expect(environment).toMatchObject({
    temporalAddress: dev.temporalAddress,
    databaseUrl: dev.databaseUrl,
    webUiUrl: dev.uiUrl,
    adminDatabaseUrl: dev.adminDatabaseUrl,
  });
  expect(environment.stoppedDevFile).toBeUndefined();
});

test('a dev.json that is being written, or empty of addresses, is passed over', () => {
  writeDevFile({ ...dev, temporalAddress: '127.0.0.1:1' }, root);
  writeDevFile({ state: 'starting', owner: { pid: process.pid }, processes: [] });
  expect(resolveEnvironment({}, noProfile(), nested).temporalAddress).toBe('127.0.0.1:1');
});

test('a dev.json whose owner is gone is named', () => {
  // Above the largest pid that Linux or macOS give.
  writeDevFile({ ...dev, owner: { pid: 2 ** 22 + 1 } });
  expect(resolveEnvironment({}, noProfile(), nested).stoppedDevFile).toBe(join(root, 'project', '.vapora', 'dev.json'));
});

test('environment variables go before dev.json, options before both', () => {
  writeDevFile(dev);
  const variables = {
    ...noProfile(),
    TEMPORAL_ADDRESS: 'cluster:7233',
    TEMPORAL_NAMESPACE: 'prod',
    DATABASE_URL: 'postgres://cluster/vapora',
  };
  expect(addresses(resolveEnvironment({}, variables, nested))).toEqual(['cluster:7233', 'postgres://cluster/vapora']);
  expect(resolveEnvironment({}, variables, nested).namespace).toBe('prod');
  const options = { temporalAddress: 'other:7233', databaseUrl: 'postgres://other/vapora', namespace: 'n', taskQueue: 'q' };
  expect(resolveEnvironment(options, variables, nested)).toMatchObject(options);
});

test('settings of one environment stay together: another Temporal, and dev.json is not asked for Postgres', () => {
  writeDevFile(dev);
  const elsewhere = resolveEnvironment({}, { ...noProfile(), TEMPORAL_ADDRESS: 'cluster:7233' }, nested);
  expect(elsewhere.databaseUrl).not.toBe(dev.databaseUrl);
  expect(elsewhere.webUiUrl).toBeUndefined();
  const same = resolveEnvironment({}, { ...noProfile(), TEMPORAL_ADDRESS: dev.temporalAddress }, nested);
  expect(same.databaseUrl).toBe(dev.databaseUrl);
});

describe('Temporal client config profiles', () => {
  const profiles = `
[profile.default]
address = "shared:7233"
namespace = "team"
api_key = "k"
[profile.prod]
address = "prod:7233"
`;
  test('the default one counts where nothing else says anything', () => {
    const environment = resolveEnvironment({}, writeProfile(profiles), nested);
    expect(environment).toMatchObject({ temporalAddress: 'shared:7233', namespace: 'team', connection: { apiKey: 'k', tls: true } });
  });

  test('the default one does not reach into a folder with an environment of its own', () => {
    writeDevFile(dev);
    expect(resolveEnvironment({}, writeProfile(profiles), nested)).toMatchObject({
      temporalAddress: dev.temporalAddress,
      namespace: 'default',
      connection: {},
    });
  });

  test('a chosen one goes before dev.json', () => {
    writeDevFile(dev);
    expect(resolveEnvironment({}, { ...writeProfile(profiles), TEMPORAL_PROFILE: 'prod' }, nested).temporalAddress).toBe('prod:7233');
  });

  test.each([
    ['an unknown one', profiles, { TEMPORAL_PROFILE: 'nope' }],
    ['a broken file', '[profile', {}],
  ])('%s is an error that names it', (_, text, variables) => {
    expect(() => resolveEnvironment({}, { ...writeProfile(text), ...variables }, nested)).toThrow(
      expect.objectContaining({ code: 'bad_usage' }),
    );
  });
});

test('a broken dev.json is an error that names the file', () => {
  writeDevFile('{"state": ');
  expect(() => resolveEnvironment({}, noProfile(), nested)).toThrow(
    expect.objectContaining({ code: 'unavailable', message: expect.stringContaining('dev.json') }),
  );
});
