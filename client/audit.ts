import { listAudit, verifyAudit as verifyChain, type AuditRange, type AuditRecord, type AuditVerification } from '../db/queries/audit';
import { callDatabase } from './call-database';
import type { VaporaClient } from './connect';
import { requireRun } from './require-run';

export type { AuditRange, AuditRecord, AuditVerification } from '../db/queries/audit';

/** The audit trail of the newest run of an id (or of the run with that run id), in order. AppError `not_found`, `unavailable`. */
export async function getAudit(client: VaporaClient, id: string, range: AuditRange = {}): Promise<AuditRecord[]> {
  return callDatabase(client, async (db) => listAudit(db, (await requireRun(client, id)).rootRunId, range));
}

/** Recomputes the hash chain: finds any change, gap or reorder of the stored lines. Errors as `getAudit`. */
export async function verifyAudit(client: VaporaClient, id: string): Promise<AuditVerification & { id: string; rootRunId: string }> {
  return callDatabase(client, async (db) => {
    const { rootRunId, workflowId } = await requireRun(client, id);
    return { id: workflowId, rootRunId, ...(await verifyChain(db, rootRunId)) };
  });
}
