import { AppError } from '../../core/contract/errors';
import { isRefusal } from './refusals';

const sqlState = (code: string): Error => Object.assign(new Error('no'), { code });

test.each<[error: unknown, refused: boolean]>([
  [sqlState('22P02'), true],
  [sqlState('23514'), true],
  [sqlState('42804'), true],
  [sqlState('54000'), true],
  [new RangeError('Invalid time value'), true],
  [new TypeError('x is not a function'), true],
  [new AppError('not_found', 'no agent set'), true],
  // Not migrated yet, or without its rights: somebody will see to it.
  [sqlState('42P01'), false],
  [sqlState('42703'), false],
  [sqlState('42501'), false],
  // Away, full, restarting, read-only, in each other's way.
  [sqlState('08006'), false],
  [sqlState('53100'), false],
  [sqlState('57P01'), false],
  [sqlState('25006'), false],
  [sqlState('40P01'), false],
  [sqlState('ECONNREFUSED'), false],
  [sqlState('EPIPE'), false],
  [new Error('Connection terminated unexpectedly'), false],
  [new AppError('unavailable', 'no Postgres'), false],
])('%s is refused for good: %p', (error, refused) => {
  expect(isRefusal(error)).toBe(refused);
});
