import { findClosest } from './did-you-mean';

test.each<[string, string[], string | undefined]>([
  ['reveiw', ['build', 'review'], 'review'],
  ['Build', ['build'], 'build'],
  ['all_test_pass', ['coverage', 'all_tests_pass'], 'all_tests_pass'],
  ['5_security_setup', ['5_security_audit'], '5_security_audit'],
  ['bb', ['b'], 'b'],
  ['build', ['deploy'], undefined],
  ['timeline', ['timezone', 'timeline_hours'], 'timeline_hours'],
  ['on_fail', ['on_late', 'on_failure'], 'on_failure'],
  ['timeot', ['timeot_hours', 'timeout'], 'timeout'],
  ['time', ['timeout_long'], undefined],
  // Every name of one letter is one edit from every other.
  ['z', ['a', 'b'], undefined],
  ['zz', ['ab'], undefined],
])('%s is taken for one of %j: %s', (name, candidates, expected) => {
  expect(findClosest(name, candidates)).toBe(expected);
});
