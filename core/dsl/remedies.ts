import type { DiagnosticCode } from './codes';

/** What helps where a diagnostic has nothing more particular to say. Those of `bad_value` name what is expected in their message. */
export const remedies: Readonly<Partial<Record<DiagnosticCode, string>>> = {
  syntax: 'put right what stands here; everything after it may be read wrongly',
  unsupported_syntax: 'write plain values, lists and maps',
  too_large: 'use less of it, or several workflows',
  duplicate_key: 'remove one of the two',
  duplicate_id: 'give one of the two another name',
  forbidden_key: 'choose another name',
  encoding: 'remove that character',
  no_workflow: 'begin with `Workflow: <id>` and `Steps:`, or with a `workflow:` map',
  missing_key: 'add it',
  bad_id: 'letters and digits of any script, `_`, `-` and `.`, at most 100 of them',
  not_built_yet: 'keep it for a later version, or remove it',
  contradiction: 'keep one of the two, or change a number',
  unknown_step: 'write the id of a step of this file',
  unknown_phase: 'write the id of a phase of this file',
  unknown_metric: 'list it under `metrics` of the monitor that samples it, or ask the agent to report it',
  no_approval_point: 'write the id of a step or a phase, a role, or a task type',
  self_dependency: 'remove it',
  cycle: 'remove one of these dependencies',
  unreachable_step: 'remove what can never be, or the step',
  never_passes: 'no result can satisfy it; rates, coverage, cpu and memory lie between 0% and 100%',
  condition_syntax: 'a condition is like `tests_passing and coverage > 85%`',
  condition_type: 'compare rates with percentages (`85%`), times with times (`300ms`), texts with quoted texts',
};
