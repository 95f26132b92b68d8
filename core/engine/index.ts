export { findUndecidableGates } from './approvers';
export { createEngine } from './engine';
export type * from './types';
