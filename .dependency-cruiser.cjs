/**
 * Who may import whom (ARCHITECTURE.md, "Folders and who may import whom"). A folder that is not named in `mayImport` may import
 * anything; nothing in a product folder may import scripts, tests or examples.
 */
const { builtinModules } = require('node:module');

const productFolders = ['core', 'workflows', 'activities', 'workers', 'db', 'embedded', 'client', 'cli', 'dashboard'];
const tests = '(\\.test\\.ts$|^test/)';
const anyProject = `^(${[...productFolders, 'scripts', 'test', 'examples'].join('|')})/`;
const builtin = `^(node:)?(${builtinModules.map((name) => name.replace(/[/.]/g, '\\$&')).join('|')})$`;

/** Folder -> the other folders it may import. */
const mayImport = {
  workflows: ['core'],
  activities: ['core', 'db'],
  workers: ['activities', 'db', 'core'],
  db: ['core'],
  embedded: ['core/contract', 'db'],
  client: ['core', 'db'],
  'dashboard/server': ['client', 'core'],
  'dashboard/web': ['core/contract'],
};

/** The commands that start a part of the product and so load it, by `import()`, when they run. */
const runsParts = '^cli/(dev|worker|dashboard|db)(\\.ts$|/)';
const parts = '^(workers|embedded|db|dashboard/server)/';

/** The packages that core may use: each is a pure function of its arguments. */
const purePackages = ['yaml', 'smol-toml', 'zod', 'canonicalize'];
/** The packages that workflow code may use: Temporal's sandbox-safe ones and the pure ones that bundle. */
const sandboxPackages = ['@temporalio/workflow', '@temporalio/common', '@temporalio/proto', 'zod', 'fflate'];
const packages = (names) => `(^|/)node_modules/(${names.map((name) => name.replace('/', '\\/')).join('|')})/`;

const folderRules = Object.entries(mayImport).map(([folder, allowed]) => ({
  name: `${folder.replace('/', '-')}-imports`,
  comment: `${folder}/ may import only ${allowed.map((name) => `${name}/`).join(', ')}`,
  severity: 'error',
  from: { path: `^${folder}/`, pathNot: tests },
  to: { path: anyProject, pathNot: `^(${[folder, ...allowed].join('|')})/` },
}));

module.exports = {
  forbidden: [
    { name: 'no-cycles', comment: 'No import cycles, type imports included.', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'core-imports',
      comment: 'a part of core/ may import only itself, core/contract and core/plan',
      severity: 'error',
      from: { path: '^core/([^/]+)/', pathNot: tests },
      to: { path: anyProject, pathNot: '^core/(contract|plan|$1)/' },
    },
    {
      name: 'core-is-pure',
      comment: 'core/ does no I/O: no node builtins',
      severity: 'error',
      from: { path: '^core/', pathNot: tests },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'core-packages',
      comment: `core/ may use only these packages: ${purePackages.join(', ')}`,
      severity: 'error',
      from: { path: '^core/', pathNot: tests },
      to: { path: '(^|/)node_modules/', pathNot: packages(purePackages) },
    },
    ...folderRules,
    {
      name: 'cli-imports',
      comment: 'cli/ may import only client/ and core/',
      severity: 'error',
      from: { path: '^cli/', pathNot: `${tests}|${runsParts}` },
      to: { path: anyProject, pathNot: '^(cli|client|core)/' },
    },
    {
      name: 'cli-parts-only-what-they-run',
      comment: 'cli/{dev,worker,dashboard,db} may import client/, core/ and what they run',
      severity: 'error',
      from: { path: runsParts, pathNot: tests },
      to: { path: anyProject, pathNot: `^(cli|client|core)/|${parts}` },
    },
    {
      name: 'cli-parts-by-dynamic-import',
      comment: 'cli/{dev,worker,dashboard,db} load what they run by import(), so that `vapora --help` stays quick',
      severity: 'error',
      from: { path: runsParts, pathNot: tests },
      to: { path: parts, dynamic: false, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'workflows-packages',
      comment: `workflow code may use only these packages: ${sandboxPackages.join(', ')}`,
      severity: 'error',
      from: { path: '^workflows/', pathNot: tests },
      to: { path: '(^|/)node_modules/', pathNot: packages(sandboxPackages) },
    },
    {
      name: 'workflows-reach-no-builtin',
      comment: 'nothing reachable from workflows/ touches node builtins: they do not bundle',
      severity: 'error',
      from: { path: '^workflows/', pathNot: tests },
      to: { path: builtin, reachable: true },
    },
    {
      name: 'workflows-reach-no-side-effects',
      comment: 'nothing reachable from workflows/ touches activities or db',
      severity: 'error',
      from: { path: '^workflows/', pathNot: tests },
      to: { path: '^(activities|db|workers|embedded|client|cli)/', reachable: true },
    },
    {
      name: 'no-unresolvable',
      comment: 'an import that resolves to nothing',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-dev-packages-in-product',
      comment: 'product code may use only packages under "dependencies"',
      severity: 'error',
      from: { path: `^(${productFolders.join('|')})/`, pathNot: tests },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|\\.vapora|coverage)/' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      extensions: ['.ts', '.js', '.mjs', '.cjs', '.json'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
    cache: { folder: 'node_modules/.cache/dependency-cruiser', strategy: 'content' },
  },
};
