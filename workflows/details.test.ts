import { aGate, aRun, aStep, aTask } from '../test/support/run-views';
import { renderDetails } from './details';

test('what people decide and do stands there with the signals that answer it', () => {
  const view = aRun({
    status: 'waiting_approval',
    steps: [aStep({ id: 'docs', state: 'running', agent: 'ana', reason: 'waits for ana to do it' })],
    gates: [aGate({ id: 'ship', approvers: ['bo'] })],
    tasks: [aTask({ id: 'docs#2', agent: 'ana' })],
  });
  const lines = renderDetails(view).split('\n');
  expect(lines).toContain('- `ship` by bo: signal `approve` with `{"gate":"ship","by":"you","reason":"…"}`');
  expect(lines).toContain(
    '- `docs#2` by ana: signal `report` with `{"step":"docs","agent":"ana","result":{"status":"success","summary":"…"}}`',
  );
  expect(lines).toContain('| docs | running | ana | waits for ana to do it |');
});
