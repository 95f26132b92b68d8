import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vaporaVersion } from '../../cli/version';
import globalSetup from './global-setup';
import globalTeardown from './global-teardown';
import { historiesFolder, printHistory } from './history-files';
import { historyScenarios, playScenario } from './history-scenarios';
import { startTestVapora } from './vapora';

/**
 * Plays every scenario, or those that are named, on servers of its own and writes their histories to
 * test/histories/<version of this product>/.
 */
export async function recordHistories(names: readonly string[] = []): Promise<void> {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'vapora-histories-'));
  const target = join(historiesFolder, vaporaVersion());
  await globalSetup();
  try {
    const vapora = await startTestVapora();
    try {
      const { workflow } = await vapora.client.temporal();
      mkdirSync(target, { recursive: true });
      for (const scenario of historyScenarios) {
        if (names.length > 0 && !names.includes(scenario.name)) continue;
        const { id } = await playScenario(scenario, vapora, folder);
        const file = join(target, `${scenario.name}.json`);
        writeFileSync(file, printHistory(await workflow.getHandle(id).fetchHistory(), folder));
        console.log(`${scenario.name}: ${Math.ceil(statSync(file).size / 1024)} KiB`);
      }
      for (const file of readdirSync(target)) {
        if (!historyScenarios.some(({ name }) => file === `${name}.json`)) rmSync(join(target, file));
      }
    } finally {
      await vapora.stop();
    }
  } finally {
    await globalTeardown();
    rmSync(folder, { recursive: true, force: true });
  }
}
