import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BundleOptions } from '@temporalio/worker';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

/** Where `npm run build` leaves the bundle: beside the compiled code, so that a worker starts without webpack. */
export const builtBundlePath = join(__dirname, '..', 'workflow-bundle.js');

export const payloadConverterPath = require.resolve('../workflows/payload-converter');

export const bundleOptions: BundleOptions = {
  workflowsPath: require.resolve('../workflows/index'),
  payloadConverterPath,
  workflowInterceptorModules: [require.resolve('../workflows/interceptors')],
};

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
