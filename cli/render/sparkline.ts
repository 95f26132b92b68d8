import { type RenderOptions, symbolOf } from './style';

const blocks = [...'▁▂▃▄▅▆▇█'];
const ascii = [...'_.-~=+*#'];

/** Values from 0 to 1 as one character each; null is a day without a value. */
export function renderSparkline(values: readonly (number | null)[], options: RenderOptions): string {
  const levels = options.unicode ? blocks : ascii;
  return values
    .map((value) => {
      if (value === null) return symbolOf('gap', options);
      const level = Math.round(Math.min(1, Math.max(0, value)) * (levels.length - 1));
      return levels[level] ?? '';
    })
    .join('');
}
