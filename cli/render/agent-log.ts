import type { AgentLogLine } from '../../client/agent-logs';
import { formatTime } from './duration';
import { colorsFor, fitLine, plainText, type RenderOptions } from './style';

/** `10:00:03 4_backend_dev  compiling`, one line for each line that an agent printed; notes of the worker begin with `--`. */
export function renderAgentLog(lines: readonly AgentLogLine[], options: RenderOptions): string {
  const colors = colorsFor(options);
  return lines
    .map(({ at, effect, agent, stream, text }) => {
      const where = `${formatTime(at).slice(11)} ${colors.bold(plainText(effectText(effect)))}`;
      const said = stream === 'note' ? colors.dim(`-- ${plainText(agent)}, ${plainText(text)}`) : plainText(text);
      return fitLine(`${where}  ${said}`, options);
    })
    .join('\n');
}

/** The first round needs no number. */
function effectText(effect: string): string {
  return effect.replace(/#1(?=$|!)/, '');
}
