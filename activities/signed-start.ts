import { personName } from '../core/contract/person-name';
import type { StartInput } from '../core/contract/start-input';
import type { StartClaims, VerifiedToken } from '../core/contract/signed-requests';
import type { Database } from '../db/connect';
import { findSigningKeys, useStartToken } from '../db/queries/signing-keys';
import { keyIdOf, verifyToken } from './verify-tokens';

export interface SignedStart {
  definition: string;
  workflowId: string;
  rootRunId: string;
  input: StartInput;
  /** When the server took the start: a token must have been valid then, however late a worker looks at it. */
  atMs: number;
}

/** Who has signed a start, or why its token does not count. Its token counts for one run only. */
export async function verifyStart(
  db: Database,
  { definition, workflowId, rootRunId, input, atMs }: SignedStart,
): Promise<{ ok: true; initiator: string } | { ok: false; reason: string }> {
  const { token = '', ...message } = input;
  const id = keyIdOf(token);
  const keys = await findSigningKeys(db, id === undefined ? [] : [id]);
  const verified = await verifyToken(keys, { token, message }, atMs);
  if (!verified.ok) return verified;
  const problem = problemOf(verified, { definition, workflowId, input });
  if (problem !== undefined) return { ok: false, reason: `its token does not count: ${problem}` };
  if (!(await useStartToken(db, `${verified.key}/${verified.claims.jti}`, rootRunId)))
    return { ok: false, reason: 'its token has started another run already' };
  return { ok: true, initiator: personName(verified.claims.sub) };
}

function problemOf(
  { claims }: Extract<VerifiedToken, { ok: true }>,
  { definition, workflowId, input }: Pick<SignedStart, 'definition' | 'workflowId' | 'input'>,
): string | undefined {
  if (claims.act !== 'start') return 'it was not signed for the start of a run';
  const { definition: ofDefinition, id, sub }: StartClaims = claims;
  if (ofDefinition !== definition) return `it was signed for ${ofDefinition}`;
  if (id !== workflowId) return `it was signed for the run ${id}`;
  const initiator = input.initiator === undefined ? undefined : personName(input.initiator);
  return initiator === undefined || initiator === personName(sub) ? undefined : `it is signed by ${sub}, not by ${initiator}`;
}
