'use strict';
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

/**
 * The dependencies that offer nothing but ES modules: Jest has a module system of its own, which cannot `require` them as Node does,
 * so they are transformed like our own sources.
 */
function findEsModulePackages() {
  const found = new Set();
  const visit = (name, from) => {
    const file = findManifest(name, from);
    if (file === undefined || visited.has(file)) return;
    visited.add(file);
    const manifest = JSON.parse(fs.readFileSync(file, 'utf8'));
    if (manifest.type === 'module' && !JSON.stringify(manifest.exports ?? {}).includes('"require"')) found.add(name);
    for (const dependency of Object.keys(manifest.dependencies ?? {})) visit(dependency, path.dirname(file));
  };
  const visited = new Set();
  for (const name of Object.keys(require('./package.json').dependencies)) visit(name, __dirname);
  return [...found].sort();
}

function findManifest(name, from) {
  for (let folder = from; ; folder = path.dirname(folder)) {
    const file = path.join(folder, 'node_modules', name, 'package.json');
    if (fs.existsSync(file)) return file;
    if (folder === path.dirname(folder)) return undefined;
  }
}

const globalHook = (name) => {
  const file = path.join(__dirname, 'test/support', `${name}.ts`);
  return fs.existsSync(file) ? file : undefined;
};

const shared = {
  rootDir: __dirname,
  testEnvironment: 'node',
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.vapora/'],
  transform: {
    '\\.(ts|m?js)$': [
      '@swc/jest',
      {
        swcrc: false,
        jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
        module: { type: 'commonjs' },
        sourceMaps: 'inline',
      },
    ],
  },
  transformIgnorePatterns: [`/node_modules/(?!(?:.*/node_modules/)?(?:${findEsModulePackages().join('|')})/)`],
};

/** @type {import('jest').Config} */
module.exports = {
  // Integration tests share one Postgres and one Temporal server: beyond a few at once they only wait for each other.
  maxWorkers: Math.max(2, Math.min(4, os.availableParallelism())),
  // Of all projects: Jest reads it here only. Integration tests wait for real servers.
  testTimeout: 60_000,
  reporters: ['default', '<rootDir>/scripts/counts-reporter.cjs'],
  projects: [
    {
      ...shared,
      displayName: 'unit',
      testMatch: ['<rootDir>/**/*.test.ts'],
      testPathIgnorePatterns: [
        '/node_modules/',
        '<rootDir>/dist/',
        '<rootDir>/.vapora/',
        '<rootDir>/test/integration/',
        '<rootDir>/test/e2e/',
      ],
    },
    {
      ...shared,
      displayName: 'integration',
      testMatch: ['<rootDir>/test/{integration,e2e}/**/*.test.ts'],
      // Real servers on a busy machine: a test that hangs still ends, one that is slow does not fail.
      globalSetup: globalHook('global-setup'),
      globalTeardown: globalHook('global-teardown'),
    },
  ],
};
