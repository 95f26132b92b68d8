/**
 * `npm run lock`, after a change of dependencies: some packages choose a native part by system (`@swc/core-darwin-arm64`…), and npm
 * leaves out of package-lock.json those that the registry at hand does not carry (a mirror for one system). `npm ci` then refuses
 * the lock. This adds them with what is known: the exact version their parent asks for, and the system their name states. They have
 * no integrity hash; npm fetches them only on the system they are for.
 */
import fs from 'node:fs';
import path from 'node:path';

const lockFile = path.resolve(import.meta.dirname, '../package-lock.json');
const systems = ['darwin', 'linux', 'win32', 'android', 'freebsd', 'openharmony'];
const processors = {
  arm64: 'arm64',
  x64: 'x64',
  arm: 'arm',
  ia32: 'ia32',
  ppc64: 'ppc64',
  riscv64: 'riscv64',
  s390x: 's390x',
  loong64: 'loong64',
};

/** What the name of a native part says about where it runs, or undefined if it is not one. */
function readSystem(name) {
  const words = name.split(/[/-]/);
  const os = words.find((word) => systems.includes(word));
  const cpu = words.map((word) => processors[word]).find((word) => word !== undefined);
  if (os === undefined || cpu === undefined) return undefined;
  const libc = os !== 'linux' ? undefined : words.some((word) => word.startsWith('musl')) ? 'musl' : 'glibc';
  return { os: [os], cpu: [cpu], ...(libc !== undefined && words.some((word) => /^(musl|gnu)/.test(word)) ? { libc: [libc] } : {}) };
}

/** Where npm would look for `name` from the package at `parent`: the nearest node_modules upward. */
function isLocked(packages, parent, name) {
  for (let folder = parent; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('node_modules/') - 1))) {
    if (`${folder === '' ? '' : `${folder}/`}node_modules/${name}` in packages) return true;
    if (folder === '') return false;
  }
}

const lock = JSON.parse(fs.readFileSync(lockFile, 'utf8'));
const added = [];
for (const [parent, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (isLocked(lock.packages, parent, name)) continue;
    const system = readSystem(name);
    if (system === undefined || !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)) {
      console.error(`lock: ${name}@${version}, wanted by ${parent}, is neither in the lock nor a native part with an exact version`);
      process.exitCode = 1;
      continue;
    }
    if (system.os.includes(process.platform) && system.cpu.includes(process.arch) && system.libc === undefined) {
      console.error(`lock: ${name}@${version} is for this system and yet missing; npm could not install it`);
      process.exitCode = 1;
      continue;
    }
    const { libc, os, cpu } = system;
    lock.packages[`node_modules/${name}`] = {
      version,
      cpu,
      ...(entry.dev ? { dev: true } : {}),
      ...(libc === undefined ? {} : { libc }),
      optional: true,
      os,
    };
    added.push(name);
  }
}

lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en')));
if (added.length > 0) fs.writeFileSync(lockFile, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`lock: ${added.length === 0 ? 'complete' : `added ${added.length} native parts for other systems`}`);
