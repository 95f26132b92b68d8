import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecrets } from './secrets';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'vapora-secrets-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('a secret comes from a variable, the file a variable names, or the folder', async () => {
  writeFileSync(join(folder, 'IN_FOLDER'), 'from the folder\n');
  writeFileSync(join(folder, 'elsewhere'), 'from a file');
  const secrets = createSecrets({ env: { DIRECT: 'from a variable', NAMED_FILE: join(folder, 'elsewhere') }, folder });
  expect(await Promise.all(['DIRECT', 'NAMED', 'IN_FOLDER'].map((name) => secrets.resolve(name)))).toEqual([
    'from a variable',
    'from a file',
    'from the folder',
  ]);
  await expect(secrets.resolve('NOWHERE')).rejects.toMatchObject({ type: 'NotRunnable', nonRetryable: true });
});

test('what was resolved is redacted, in the forms in which it may show', async () => {
  const value = 'p@ss "word"/1';
  const secrets = createSecrets({ env: { TOKEN: value }, folder });
  expect(secrets.isEmpty).toBe(true);
  expect(secrets.redact(value)).toBe(value);
  await secrets.resolve('TOKEN');
  const forms = [value, JSON.stringify(value), encodeURIComponent(value), Buffer.from(value).toString('base64')];
  expect(forms.map((form) => secrets.redact(`<${form}>`))).toEqual([
    '<[redacted:TOKEN]>',
    '<"[redacted:TOKEN]">',
    '<[redacted:TOKEN]>',
    '<[redacted:TOKEN]>',
  ]);
  expect(secrets.redactDeep({ [value]: [value, 1, null, { deep: `a ${value} b` }] })).toEqual({
    '[redacted:TOKEN]': ['[redacted:TOKEN]', 1, null, { deep: 'a [redacted:TOKEN] b' }],
  });
});

test('each line of a key file is hidden', async () => {
  const secrets = createSecrets({ env: { KEY: 'BEGIN-KEY-1234\nabcdefghijkl\n' }, folder });
  await secrets.resolve('KEY');
  expect(secrets.redact('say abcdefghijkl twice')).toBe('say [redacted:KEY] twice');
});

test.each([
  ['API_KEY', 'value-of-it', true],
  ['PROJECT_DIR', '/home/me/project', false],
  ['SHORT_TOKEN', 'abc', false],
])('a copied variable %s=%s is hidden: %s', (name, value, isHidden) => {
  const secrets = createSecrets({ env: {}, folder });
  secrets.hideVariable(name, value);
  expect(secrets.redact(value) !== value).toBe(isHidden);
});

test('a value with a dollar sign replaces nothing by accident', async () => {
  const secrets = createSecrets({ env: { ODD: "$&$'$$" }, folder });
  await secrets.resolve('ODD');
  expect(secrets.redact("x$&$'$$y")).toBe('x[redacted:ODD]y');
});
