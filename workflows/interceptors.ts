import type { ActivateInput, WorkflowInterceptorsFactory } from '@temporalio/workflow';
import { ApplicationFailure, setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import { isReservedDefinitionId } from '../core/contract/ids';
import { payloadConverter } from './payload-converter';

type Job = NonNullable<ActivateInput['activation']['jobs']>[number];
type SignalJob = NonNullable<Job['signalWorkflow']>;
type SignalReceiver = (name: string, args: unknown[]) => void;

const metadataQuery = '__temporal_workflow_metadata';

let renderDetails: (() => string) | undefined;
let receiveSignal: SignalReceiver | undefined;
const earlySignals: SignalJob[] = [];

/** Gives the text that the Web UI shows as "current details". Rendered when somebody looks, not at every workflow task. */
export function onDetailsAsked(render: () => string): void {
  renderDetails = render;
}

/** Gives every signal, whatever its name, in the order in which they came: those that came before it too. */
export function onSignal(receive: SignalReceiver): void {
  receiveSignal = receive;
  for (const signal of earlySignals.splice(0)) deliver(signal, receive);
}

function deliver({ signalName, input }: SignalJob, receive: SignalReceiver): void {
  receive(
    signalName ?? '',
    (input ?? []).map((payload) => payloadConverter.fromPayload<unknown>(payload)),
  );
}

/** Gives signals to the receiver, and all else, in between and in its order, to the SDK. */
function activateInOrder({ activation, batchIndex }: ActivateInput, next: (input: ActivateInput) => void): void {
  let others: Job[] = [];
  const passOn = (): void => {
    if (others.length > 0) next({ activation: { ...activation, jobs: others }, batchIndex });
    others = [];
  };
  for (const job of activation.jobs ?? []) {
    if (!job.signalWorkflow) others.push(job);
    else if (receiveSignal) {
      passOn();
      deliver(job.signalWorkflow, receiveSignal);
    } else earlySignals.push(job.signalWorkflow);
  }
  passOn();
}

/**
 * - Signals do not go through the SDK, which makes some ten promises for each, with a stack trace for each promise: a workflow task with
 *   the thousands that a run may get took seconds, and beyond five the SDK ends the worker's whole process. It would also sort those that
 *   come before the handlers by name, and throw at a name that begins with `__temporal_`, before any handler.
 * - A workflow type such as `toString` is looked up as a property of the workflow module, and found: it fails before it is called.
 * - The metadata query is internal and skips the query interceptors: the details are set just before it is answered.
 */
export const interceptors: WorkflowInterceptorsFactory = () => ({
  inbound: [
    {
      async execute(input, next) {
        const { workflowType } = workflowInfo();
        if (!isReservedDefinitionId(workflowType)) return next(input);
        const message = `"${workflowType}" is a reserved name: no definition can have it`;
        throw ApplicationFailure.create({ type: 'InvalidStartInput', message, nonRetryable: true });
      },
    },
  ],
  internals: [
    {
      activate(input, next) {
        for (const job of input.activation.jobs ?? []) {
          if (job.queryWorkflow?.queryType === metadataQuery && renderDetails) setCurrentDetails(renderDetails());
        }
        activateInOrder(input, next);
      },
    },
  ],
});
