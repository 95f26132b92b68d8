import { compileWorkflow } from '../compile';

function problemsOf(schedule: string): string[] {
  const { diagnostics } = compileWorkflow(`Workflow: w\nschedule: ${schedule}\nSteps:\n  build: {agent: developer}\n`);
  return diagnostics.filter(({ severity }) => severity !== 'info').map(({ message }) => message);
}

test.each([
  '"0 9 * * 1"',
  '"*/15 9-17 1,15 jan-mar mon-fri"',
  '"0 0 ? * 7"',
  '"5/10 0 31 12 SUN"',
  '"@daily"',
  '1day',
  '{cron: "@hourly", timezone: Asia/Tokyo}',
  '{every: 90min}',
])('%s is a schedule', (schedule) => {
  expect(problemsOf(schedule)).toEqual([]);
});

test.each([
  ['"60 9 * * 1"', '`60` is no minute of a cron expression'],
  ['"0 24 * * 1"', '`24` is no hour of a cron expression'],
  ['"0 9 0 * 1"', '`0` is no day of a cron expression'],
  ['"0 9 * 13 1"', '`13` is no month of a cron expression'],
  ['"0 9 * * 8"', '`8` is no weekday of a cron expression'],
  ['"0 9 * * mon-xyz"', '`mon-xyz` is no weekday of a cron expression'],
  ['"0 9 * * fri-mon"', '`fri-mon` is no weekday of a cron expression'],
  ['"30-10 9 * * 1"', '`30-10` is no minute of a cron expression'],
  ['"*/0 9 * * 1"', '`*/0` is no minute of a cron expression'],
  ['"0 9, * * 1"', '`9,` is no hour of a cron expression'],
  ['"0 9 * *"', 'a cron expression has five fields'],
  ['"@sometimes"', 'a cron expression has five fields'],
  ['10', '`schedule` needs a unit'],
  ['soon', '`schedule` is a duration, not "soon"'],
])('%s is none: %s', (schedule, message) => {
  expect(problemsOf(schedule)).toEqual([message]);
});
