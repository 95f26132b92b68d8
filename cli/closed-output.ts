import { AppError } from '../core/contract/errors';

/** Why a command is asked to end when nobody reads its standard output any more: `vapora … | head`. */
export const outputClosed = new AppError('interrupted', 'nobody reads the output any more');

/** True once the reader has gone: then there is nobody to be told anything but errors, and ending early is no failure. */
export function isOutputClosed(signal: AbortSignal): boolean {
  return signal.reason === outputClosed;
}
