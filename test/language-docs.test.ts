import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { keySpecs } from '../core/dsl/keys';
import { expectGolden } from './support/golden';
import { keyEvidence } from './support/key-evidence';
import { evidenceOf, withKeyTables } from './support/language-tables';

const root = join(__dirname, '..');
const file = join(root, 'docs/language.md');
const page = readFileSync(file, 'utf8');

/** The tables are written anew by `UPDATE_GOLDEN=1 npx jest test/language-docs`; all other text by hand. */
test('the tables of docs/language.md are up to date', () => {
  expectGolden(file, withKeyTables(page));
});

test('every key of the tables has an entry', () => {
  const rows = withKeyTables(page).split('\n');
  const missing = keySpecs.filter(({ level, name }) => {
    const begin = rows.indexOf(`<!-- keys of ${level} -->`);
    const end = rows.indexOf('<!-- end -->', begin);
    return begin < 0 || !rows.slice(begin, end).some((row) => row.startsWith(`| \`${name}\``));
  });
  expect(missing.map(({ level, name }) => `${level}.${name}`)).toEqual([]);
});

test('every test that is named exists', () => {
  const gone = keySpecs
    .map((spec) => ({ key: `${spec.level}.${spec.name}`, ...evidenceOf(spec) }))
    .filter(({ file: name, title }) => !existsSync(join(root, name)) || !readFileSync(join(root, name), 'utf8').includes(title));
  expect(gone).toEqual([]);
});

test('evidence is about keys that exist', () => {
  const known = new Set(keySpecs.map(({ level, name }) => `${level}.${name}`));
  expect(Object.keys(keyEvidence).filter((key) => !known.has(key))).toEqual([]);
});
