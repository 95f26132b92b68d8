import type { WorkflowInterceptorsFactory } from '@temporalio/workflow';
import { ApplicationFailure, setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import { isReservedDefinitionId } from '../core/contract/ids';

const reservedPrefix = '__temporal_';
const metadataQuery = '__temporal_workflow_metadata';

let renderDetails: (() => string) | undefined;

/** Gives the text that the Web UI shows as "current details". Rendered when somebody looks, not at every workflow task. */
export function onDetailsAsked(render: () => string): void {
  renderDetails = render;
}

/**
 * - A signal whose name begins with `__temporal_` makes the SDK throw while it dispatches, before any handler: it gets another
 *   name here, so that the default handler records it as ignored.
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
          const signal = job.signalWorkflow;
          if (signal?.signalName?.startsWith(reservedPrefix)) signal.signalName = `reserved ${signal.signalName}`;
          if (job.queryWorkflow?.queryType === metadataQuery && renderDetails) setCurrentDetails(renderDetails());
        }
        next(input);
      },
    },
  ],
});
