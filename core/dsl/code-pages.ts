import type { DiagnosticCode } from './codes';
import type { CompileOptions } from './compile';

/** What docs/diagnostics.md says of one code: why it is reported, and a workflow in which it is. */
export interface CodePage {
  explanation: string;
  example: string;
  options?: Pick<CompileOptions, 'format' | 'roles' | 'agentIds'>;
}

const inSteps = (...steps: string[]): string => `Workflow: example\nSteps:\n${steps.map((step) => `  ${step}\n`).join('')}`;

export const codePages: Readonly<Record<DiagnosticCode, CodePage>> = {
  syntax: {
    explanation:
      'The reader of YAML or TOML stopped here. What comes after the place may be read wrongly, so of the rest only the keys and values ' +
      'before it are checked until it is put right. One file holds one workflow: a second YAML document is a mistake, a leading `---` is not.',
    example: 'Workflow: example\nSteps:\n  build:\n    agent: developer\n   test:\n    agent: tester\n',
  },
  encoding: {
    explanation:
      'A workflow file is UTF-8. Texts may hold anything but NUL and halves of surrogate pairs, even when they are written as escapes: ' +
      'PostgreSQL could not keep them.',
    example: inSteps('build: {agent: developer, title: "Build\\0"}'),
  },
  too_large: {
    explanation:
      'Files come from strangers, so everything that can grow has a limit: 1 MiB of text, 32 levels of nesting, 200,000 values, 10,000 ' +
      'steps, 100,000 written dependencies, 1,000 items of a `for_each`, 20 notifications.',
    example: inSteps(`build: {agent: developer, with: ${'['.repeat(40)}${']'.repeat(40)}}`),
  },
  unsupported_syntax: {
    explanation:
      'A few anchors and aliases can stand for more data than fits into memory, and tags can stand for code. What steps share belongs ' +
      'into `defaults`.',
    example: inSteps('build: &base {agent: developer}', 'test: *base'),
  },
  duplicate_key: {
    explanation:
      'A map cannot have one key twice. Keys are compared without case and with `-` as `_`, and other names of a key count as the same: ' +
      '`dependencies` is `depends_on`, `action` is `actions`, `strategy` is `deployment_strategy`. The second place is reported, the ' +
      'first one is named beside it.',
    example: inSteps('build: {agent: developer}', 'test: {agent: tester, depends_on: build, dependencies: [build]}'),
  },
  forbidden_key: {
    explanation: 'No map may have `__proto__`, `constructor` or `prototype` as a key, and no step or phase as its name.',
    example: inSteps('constructor: {agent: developer}'),
  },
  too_many_diagnostics: {
    explanation: 'A thousand diagnostics are shown, the others are only counted. It is an error when one of the mistakes is.',
    example: inSteps(`build: {agent: developer, depends_on: [${Array.from({ length: 1_001 }, (_, index) => `no-${index}`).join(', ')}]}`),
  },
  no_workflow: {
    explanation:
      'The file has nothing to run: no `Workflow: <id>` with `Steps:`, and no `workflow:` map with `steps`, `agents` or `phases` in it, or ' +
      'none of these has a step.',
    example: 'services:\n  web: {image: nginx}\n',
  },
  ambiguous_form: {
    explanation:
      'The steps stand in one place: in `steps`, in `agents`, or in `phases` with `steps` inside. With two of them nobody could say in ' +
      'which order they are meant. `phases` without steps beside `steps` are fine: they are labels then.',
    example: 'workflow:\n  id: example\n  agents:\n    architect: {role: architect}\n  steps:\n    build: {agent: developer}\n',
  },
  missing_key: {
    explanation:
      'Something must be there that is not: the id of the workflow, who does a step, the name of a step in a list, the limit of a budget, ' +
      'the address of a notification. A phase without steps is only warned of.',
    example: inSteps('build: {estimated_duration: 2h}'),
  },
  unknown_key: {
    explanation:
      'No key of that name means anything in this map. When a known one is close, or other tools call it so (`needs`), it is an error, for a slip ' +
      'must not go unnoticed; else a warning. Keys that begin with `x-` are your own and never reported.',
    example: inSteps('build: {agent: developer, max_duratoin: 2h, colour: green}'),
  },
  not_built_yet: {
    explanation:
      'The key is part of the language, is checked and kept in the plan, but this version does nothing with it. Each such key is reported ' +
      'once, its other places beside it.',
    example: 'Workflow: example\nbudget: $20\nSteps:\n  build: {agent: developer}\n',
  },
  snapshot_key: {
    explanation:
      'A tool has written the state of a run into the file (`Status`, `Progress`, `Blockers`, `Release_notes`…). It is kept as metadata; ' +
      'the run starts anew all the same.',
    example: 'Workflow: example\nStatus: in_progress\nSteps:\n  build: {agent: developer}\n',
  },
  bad_value: {
    explanation:
      'The value is not of the kind that the key takes, or out of its bounds. The message says what is expected. A key whose value is left ' +
      'empty is reported too: the author meant to write something.',
    example: inSteps('build: {agent: developer, quality: superb, count: 1.5, priority:}'),
  },
  bad_unit: {
    explanation:
      'Times have units (`45min`, `4days`, `1h30m`, `PT1H30M`): a bare number is refused. In a condition a bare number beside a metric with ' +
      'a unit is read in that unit, and a warning says how.',
    example: inSteps('test: {agent: tester, timeout: 30, must_pass: error_rate < 0.5}'),
  },
  bad_id: {
    explanation:
      'Steps, phases and artifacts are named with letters and digits of any script, `_`, `-` and `.`, at most 100 of them. The id of a ' +
      'workflow is a Temporal id too: ASCII letters and digits, the first of them no sign. A role is letters, digits and hyphens.',
    example: 'Workflow: example\nSteps:\n  build it: {agent: developer}\n',
  },
  reserved_id: {
    explanation:
      'Temporal finds a workflow by its type, which is the id of the definition: `default`, everything that begins with `vapora-`, and the ' +
      'names that JavaScript objects have by themselves are taken.',
    example: 'Workflow: vapora-rollback\nSteps:\n  build: {agent: developer}\n',
  },
  duplicate_id: {
    explanation:
      'A dependency names a step or a phase, so each name is given once: two steps cannot share one, nor can a step and a phase. The second ' +
      'place is reported.',
    example: 'workflow:\n  id: example\n  phases:\n    build:\n      steps:\n        - {name: build, agent: developer}\n',
  },
  unknown_step: {
    explanation:
      'Nothing in the file has that name. In `parallel_with`, which only claims something, it is a warning; everywhere else an error.',
    example: inSteps('build: {agent: developer}', 'test: {agent: tester, depends_on: biuld}'),
  },
  unknown_phase: {
    explanation: 'The file declares its phases, and a step names one that is not among them.',
    example:
      'Workflow: example\nPhases: [plan, build]\nSteps:\n  design: {agent: architect, phase: plan}\n' +
      '  code: {agent: developer, phase: build}\n  test: {agent: tester, phase: biuld}\n',
  },
  unknown_role: {
    explanation:
      'With a registry of agents beside the file every role must have somebody. A role falls back along its hyphens: `developer-frontend` ' +
      'is done by a `developer` with the skill `frontend`. An agent that is named must exist.',
    example: inSteps('build: {agent: developer-frontend}', 'fly: {agent: pilot, depends_on: build}'),
    options: { roles: ['developer', 'tester'] },
  },
  unknown_metric: {
    explanation:
      'The condition asks for a metric that no step is known to report: it is none of the usual ones, does not end like one (`_rate`, ' +
      '`_count`, `_latency`…), and no monitor lists it. Unreported, it stays unknown, and a gate that is unknown does not open.',
    example: inSteps('test: {agent: tester, must_pass: covrage > 85%}'),
  },
  unknown_approver: {
    explanation:
      'The name is close to that of a group under `approvers`, but is not one. It is taken as the name of a person, who then is the only ' +
      'one who may approve.',
    example:
      'Workflow: example\napprovers: {release-board: [ana, ben]}\nSteps:\n  ship: {agent: devops, approval: {approvers: relase-board}}\n',
  },
  unknown_input: {
    explanation:
      'A condition or a `for_each` reads a run input that is not declared under `inputs`. In a condition it may still be given when the run ' +
      'starts, so there it is a warning.',
    example: 'Workflow: example\ninputs: {services: list}\nSteps:\n  build: {agent: developer, for_each: inputs.servces}\n',
  },
  unknown_task_type: {
    explanation:
      'A task type is the key of the learning history, and any name may be one. This name is close to one of the usual types: its history ' +
      'would begin at nothing.',
    example: inSteps('build: {agent: developer, task_type: CodeGenration}'),
  },
  self_dependency: {
    explanation: 'A step that waits for itself never starts.',
    example: inSteps('build: {agent: developer, depends_on: build}'),
  },
  cycle: {
    explanation:
      'Steps wait for each other in a circle, so none of them can start. The reference that closes the circle is reported, the others stand ' +
      'beside it. A security review that waits for the step that needs it is a circle, too.',
    example: inSteps(
      'design: {agent: architect, depends_on: review}',
      'build: {agent: developer, depends_on: design}',
      'review: {agent: code-reviewer, depends_on: build}',
    ),
  },
  later_phase: {
    explanation:
      'A phase starts when the one before has passed, so a step cannot wait for a later phase, nor for the whole of its own. With ' +
      '`overlap: true` a phase starts as its own dependencies allow, and may be waited for.',
    example:
      'workflow:\n  id: example\n  phases:\n    build:\n      steps:\n        - {name: code, agent: developer, depends_on: test}\n' +
      '    check:\n      steps:\n        - {name: test, agent: tester}\n',
  },
  unreachable_step: {
    explanation:
      'Nothing that can happen starts the step: its `if` can never hold, its `for_each` has no items, or one step would have to end in two ' +
      'ways at once. A plain `depends_on` means that the other step passed or was skipped; to act on a failure, depend on the failure.',
    example: inSteps('deploy: {agent: devops, action: deploy}', 'repair: {agent: devops, depends_on: deploy, if: failed(deploy)}'),
  },
  contradiction: {
    explanation:
      'Two keys exclude each other (`serial` and `parallel`, `priority` and `low_priority`), or a number is out of reach: more approvals ' +
      'than agents or approvers, more samples in a row than the monitor takes.',
    example: inSteps('review: {agent: code-reviewer, count: 2, must_pass: 3, priority: high, low_priority: true}'),
  },
  never_passes: {
    explanation:
      'Whatever is reported, the condition is false: rates, coverage, cpu and memory lie between 0 % and 100 %, two bounds leave nothing ' +
      'between them, or a count asks for more steps than there are. Of an alert, which then never fires, it is a warning.',
    example: inSteps('test: {agent: tester, must_pass: coverage > 100%}'),
  },
  no_approval_point: {
    explanation:
      'A name in `approval_required_at` is looked up, ignoring case, as a step, a phase, a role, and a task type or its first word. It is ' +
      'none of them, so nobody is asked there.',
    example: 'Workflow: example\napproval_required_at: [deploy_production]\nSteps:\n  deploy: {agent: devops, environment: production}\n',
  },
  implied_approval: {
    explanation:
      "A decision-maker's step with an action that begins with `approve`, or with a name that ends in `approval`, waits for a person, though " +
      'the file does not say so in as many words.',
    example: inSteps('build: {agent: developer}', 'final_approval: {agent: decision-maker, depends_on: build}'),
  },
  parallel_dependency: {
    explanation:
      '`parallel_with` is a claim: it is checked and adds nothing. Here a dependency (perhaps through other steps) or a serial phase makes ' +
      'it false, and that wins.',
    example: inSteps('build: {agent: developer, parallel_with: test}', 'test: {agent: tester, depends_on: build}'),
  },
  input_never_produced: {
    explanation:
      'No step has that output, and it is no declared run input. The agent gets it as absent, unless it is given when the run starts ' +
      '(`--input name=@file`). `design_doc` finds an output `design_doc.md`. Reported once per name, with the other places beside it.',
    example: inSteps(
      'design: {agent: architect, output: design.md}',
      'build: {agent: developer, depends_on: design, input: "design, api_spec"}',
    ),
  },
  input_unordered: {
    explanation:
      'A step has that output, but nothing makes it come first: neither a dependency nor a phase nor the order of a serial phase. Whether ' +
      'it is there is chance, so it is never handed over. For the items of a `for_each` it is an error.',
    example: inSteps('design: {agent: architect, output: design.md}', 'build: {agent: developer, input: design}'),
  },
  duplicate_output: {
    explanation:
      'Two steps produce one artifact and may run in any order: what later steps read would be chance. Ordered ones are fine, the last one ' +
      'before the reader counts.',
    example: inSteps('left: {agent: developer, output: report.md}', 'right: {agent: developer, output: report.md}'),
  },
  no_security_step: {
    explanation:
      '`security_required` means that a step of role `security` must have approved too: one that shares a dependency with this step, or the ' +
      'one that is named. There is none.',
    example: inSteps('build: {agent: developer}', 'review: {agent: code-reviewer, depends_on: build, security_required: true}'),
  },
  monitor_without_duration: {
    explanation: 'A step is a monitor by its `duration`. Its other keys (`alert_if`, `metrics`, `interval`…) have no effect without.',
    example: inSteps(
      'deploy: {agent: devops, environment: staging}',
      'watch: {agent: monitor, depends_on: deploy, alert_if: error_rate > 1%}',
    ),
  },
  rollback_without_deploy: {
    explanation:
      'A monitor rolls back the deployments that it depends on, and there is none. A step deploys when it has a `deployment_strategy`, an ' +
      'action whose first word is `deploy`, or an `environment` and a role that acts on it.',
    example: inSteps(
      'build: {agent: developer}',
      'watch: {agent: monitor, depends_on: build, duration: 1h, auto_rollback_if: critical_error}',
    ),
  },
  condition_syntax: {
    explanation:
      'The condition cannot be parsed. Comparisons do not chain, texts stand in quotes, an id that is no plain name is quoted ' +
      '(`passed("code-review")`, `steps["code-review"].coverage`, `inputs["full-run"]`).',
    example: inSteps('test: {agent: tester, must_pass: 80% < coverage < 95%}', 'lint: {agent: tester, must_pass: errors = 0}'),
  },
  condition_type: {
    explanation:
      'The two sides cannot be compared or combined, as far as it is known before a run: by the names of metrics, the declared types of ' +
      'inputs, and the units of numbers.',
    example: inSteps('test: {agent: tester, must_pass: coverage > 300ms and tests_passing > 3}'),
  },
  condition_unordered: {
    explanation:
      'When the condition is asked, that step has not run: nothing orders the two (a warning), or it even waits for this one (an error). ' +
      '`requires` and `if` are asked before the step starts, `must_pass` after its work, the gate of a phase when its steps have ended.',
    example: inSteps(
      'build: {agent: developer}',
      'scan: {agent: security, depends_on: build}',
      'merge: {agent: code-reviewer, depends_on: build, action: merge, requires: approved(scan)}',
    ),
  },
  empty_quantifier: {
    explanation:
      'The condition speaks of all tests, reviews or steps in its scope, and there is none. Said of nothing it is unknown, and an unknown ' +
      'gate does not open.',
    example:
      'workflow:\n  id: example\n  phases:\n    build:\n      gate: all_tests_pass\n      steps:\n        - {name: code, agent: developer}\n',
  },
};
