import { initialTables } from './0001-initial-tables';
import { auditTrail } from './0002-audit-trail';
import { linesOnce } from './0003-lines-once';
import { executionOwner } from './0004-execution-owner';
import { gateViews } from './0005-gate-views';
import { estimatesOfSteps } from './0006-estimates-of-steps';
import { rollbackRequests } from './0007-rollback-requests';
import { signingKeys } from './0008-signing-keys';
import { tasks } from './0009-tasks';
import { importedHistory } from './0010-imported-history';
import type { Migration } from './migration';

/** All migrations, in the order in which they run. */
export const migrations: readonly Migration[] = [
  initialTables,
  auditTrail,
  linesOnce,
  executionOwner,
  gateViews,
  estimatesOfSteps,
  rollbackRequests,
  signingKeys,
  tasks,
  importedHistory,
];
