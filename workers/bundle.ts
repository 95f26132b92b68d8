import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BundleOptions } from '@temporalio/worker';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

type Configuration = Parameters<NonNullable<BundleOptions['webpackConfigHook']>>[0];

/** Where `npm run build` leaves the bundle: beside the compiled code, so that a worker starts without webpack. */
export const builtBundlePath = join(__dirname, '..', 'workflow-bundle.js');

export const payloadConverterPath = require.resolve('../workflows/payload-converter');

export const bundleOptions: BundleOptions = {
  workflowsPath: require.resolve('../workflows/index'),
  payloadConverterPath,
  workflowInterceptorModules: [require.resolve('../workflows/interceptors')],
  preloadModules: [require.resolve('../workflows/preload')],
  webpackConfigHook: keepSyntax,
};

/** From sources (tests, benchmarks) the SDK compiles for ES2017, which turns each spread into a loop; the built code is ES2022. */
function keepSyntax(config: Configuration): Configuration {
  for (const rule of config.module?.rules ?? []) {
    const use = typeof rule === 'object' && rule !== null ? rule.use : undefined;
    if (typeof use !== 'object' || use === null || !('options' in use) || typeof use.options !== 'object') continue;
    const { jsc } = use.options as { jsc?: { target?: string } };
    if (jsc) jsc.target = 'es2022';
  }
  return config;
}

/** The built bundle where there is one, else a fresh one (running from sources: tests). */
export async function loadWorkflowBundle(): Promise<{ codePath: string } | { code: string }> {
  if (existsSync(builtBundlePath)) return { codePath: builtBundlePath };
  return bundleWorkflowCode(bundleOptions);
}

/** Called by the build. */
export async function writeWorkflowBundle(): Promise<string> {
  const { code } = await bundleWorkflowCode({ ...bundleOptions, logger: new DefaultLogger('WARN') });
  await writeFile(builtBundlePath, code);
  return builtBundlePath;
}
