import type { CliCommand } from '../command';
import { exitCodes } from '../exit-codes';
import { colorsFor, padText, symbolOf, textWidth } from '../render/style';

/** Says what is missing on this machine and how to get it. Starts nothing. */
export const command: CliCommand = {
  configure() {},
  async run({ io, isJson, print, printJson, render }) {
    const { diagnoseEnvironment } = await import('../../embedded/doctor.js');
    const findings = await diagnoseEnvironment({ projectDir: io.cwd });
    const isWell = findings.every(({ ok }) => ok);
    if (isJson) printJson({ schemaVersion: 1, ok: isWell, findings });
    else {
      const colors = colorsFor(render);
      const width = Math.max(...findings.map(({ name }) => textWidth(name)));
      for (const { name, ok, detail, remedy } of findings) {
        const mark = ok
          ? colors.green(render.unicode ? symbolOf('done', render) : 'ok  ')
          : colors.red(render.unicode ? symbolOf('failed', render) : 'FAIL');
        print(`${mark} ${padText(name, width)}  ${detail}`);
        if (remedy !== undefined) print(`  ${' '.repeat(width)}  -> ${remedy}`);
      }
      print(isWell ? "Everything needed is here: 'vapora dev' will work." : 'Something is missing: see the arrows above.');
    }
    return isWell ? exitCodes.done : exitCodes.unavailable;
  },
};
