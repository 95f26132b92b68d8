import { CancellationScope } from '@temporalio/workflow';

/**
 * A scope without a timeout needs none of the promises that the SDK puts around its function, and the SDK takes a stack trace for
 * every promise of a workflow: that was the largest part of a step's cost.
 */
class PlainScope extends CancellationScope {
  protected override runInContext<T>(fn: () => Promise<T>): Promise<T> {
    return fn();
  }
}

/**
 * Runs functions beyond the reach of Temporal's cancel request, whoever calls: what a signal handler sets going would else stand
 * under the workflow's root scope, and a cancel would kill its activities instead of ending the run in order.
 */
export function createShield(): (work: () => void) => void {
  const scope = new PlainScope({ cancellable: false });
  // A plain scope hands through what the function returns, here nothing.
  return (work) => void scope.run(work as () => Promise<void>);
}

export interface Cancellable {
  cancel(): void;
}

export interface ScopePool {
  /** Starts one operation, an activity or a timer, that can be cancelled alone. Exactly one of the two callbacks is called. */
  start<T>(operation: () => Promise<T>, onDone: (value: T) => void, onFailed: (error: unknown) => void): Cancellable;
}

/**
 * Each operation needs a cancellation scope of its own while it runs, and a scope costs three promises: one whose operation ended
 * without a cancel serves the next.
 */
export function createScopePool(): ScopePool {
  const free: CancellationScope[] = [];

  return {
    start(operation, onDone, onFailed) {
      const scope = free.pop() ?? new PlainScope({ cancellable: true });
      let hasEnded = false;
      const release = (): void => {
        hasEnded = true;
        if (!scope.consideredCancelled) free.push(scope);
      };
      scope.run(operation).then(
        (value) => {
          release();
          onDone(value);
        },
        (error: unknown) => {
          release();
          onFailed(error);
        },
      );
      return {
        // A scope that serves another operation by now must not be cancelled through this one.
        cancel: () => {
          if (!hasEnded) scope.cancel();
        },
      };
    },
  };
}
