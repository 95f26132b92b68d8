import { lastOf } from './record';

test('of the changes of one row the last holds, also where only the stored text is the same', () => {
  expect(lastOf(['a\0', 'b', 'a\ud800'], (key) => key)).toEqual(['a\ud800', 'b']);
});
