import { createHash } from 'node:crypto';

/** A number in [0, 1) that depends on its labels alone: the same on every machine and in every attempt. */
export type Draw = (label: string) => number;

export function createDraw(...context: (string | number)[]): Draw {
  const prefix = context.join('\0');
  return (label) => createHash('sha256').update(`${prefix}\0${label}`).digest().readUIntBE(0, 6) / 2 ** 48;
}
