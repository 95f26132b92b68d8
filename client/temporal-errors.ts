import { isGrpcDeadlineError, isGrpcServiceError } from '@temporalio/client';
import { AppError, isAppError } from '../core/contract/errors';
import type { VaporaClient } from './connect';

/** Numbers of google.rpc.Code. */
const grpcCodes = {
  invalidArgument: 3,
  notFound: 5,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  unavailable: 14,
  unauthenticated: 16,
} as const;

interface GrpcFailure {
  code: number;
  details: string;
}

/** The gRPC error inside what the SDK throws, however deep. */
function grpcFailureOf(error: unknown): GrpcFailure | undefined {
  let current: unknown = error;
  // Causes can in theory form a ring.
  for (let depth = 0; depth < 10 && typeof current === 'object' && current !== null; depth += 1) {
    if (isGrpcServiceError(current)) return { code: current.code, details: current.details };
    current = (current as { cause?: unknown }).cause;
  }
  return undefined;
}

/** The server knows no such workflow, or no open one where the call needs one. */
export function isWorkflowNotFound(error: unknown): boolean {
  if ((error as Error | null)?.name === 'WorkflowNotFoundError') return true;
  return grpcFailureOf(error)?.code === grpcCodes.notFound && !isNamespaceNotFound(error);
}

function isNamespaceNotFound(error: unknown): boolean {
  return (error as Error | null)?.name === 'NamespaceNotFoundError' || /namespace/i.test(grpcFailureOf(error)?.details ?? '');
}

/** Nobody polled the task queue, or nobody answered in time: no worker is up. */
export function isWorkerMissing(error: unknown): boolean {
  return isGrpcDeadlineError(error) || grpcFailureOf(error)?.code === grpcCodes.failedPrecondition;
}

/** What a failed call to Temporal means to a caller; errors that say it already pass through. */
export function explainTemporalError(error: unknown, client: VaporaClient): unknown {
  if (isAppError(error)) return error;
  const { temporalAddress, namespace } = client.environment;
  const failure = grpcFailureOf(error);
  if (isGrpcDeadlineError(error)) return unavailable(`Temporal at ${temporalAddress} did not answer in time`, error);
  if (isNamespaceNotFound(error)) {
    return new AppError('unavailable', `Temporal at ${temporalAddress} has no namespace ${namespace}`, {
      hint: `create it (temporal operator namespace create --namespace ${namespace}) or name another one`,
      cause: error,
    });
  }
  if (failure === undefined) return error;
  const { details } = failure;
  switch (failure.code) {
    case grpcCodes.unavailable:
      return unavailable(`no Temporal server at ${temporalAddress}`, error);
    case grpcCodes.permissionDenied:
    case grpcCodes.unauthenticated:
      return new AppError('refused', `Temporal at ${temporalAddress} refused: ${details}`, {
        hint: 'check the API key or certificate of your Temporal profile (TEMPORAL_API_KEY, TEMPORAL_TLS_…)',
        cause: error,
      });
    case grpcCodes.invalidArgument:
      if (!/search attribute/i.test(details)) return error;
      return new AppError('not_registered', `namespace ${namespace} lacks vapora's search attributes: ${details}`, {
        hint: "run 'vapora db migrate', or start a worker: both register them",
        cause: error,
      });
    case grpcCodes.resourceExhausted:
      return unavailable(`Temporal at ${temporalAddress} is overloaded: ${details}`, error);
    default:
      return error;
  }
}

function unavailable(message: string, cause: unknown): AppError {
  return new AppError('unavailable', message, { hint: "start one with 'vapora dev', or check --address and TEMPORAL_ADDRESS", cause });
}

/** Runs a call to Temporal and explains its failure. */
export async function callTemporal<T>(client: VaporaClient, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw explainTemporalError(error, client);
  }
}

export function runNotFound(id: string, cause?: unknown): AppError {
  return new AppError('not_found', `no run ${id}`, { hint: "'vapora workflow list' shows the runs there are", cause });
}
