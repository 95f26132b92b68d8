import type { DiagnosticCode } from '../codes';
import type { DocumentNode, Span } from '../document';

export interface ReadProblem {
  code: DiagnosticCode;
  message: string;
  hint?: string;
  span: Span;
  related?: { message: string; span: Span }[];
}

/** `root` is null when the text cannot be read at all, or is empty. */
export interface ReadResult {
  root: DocumentNode | null;
  problems: ReadProblem[];
}

/** Keys that would reach an object's prototype in careless code further on. */
export const forbiddenKeys: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);
