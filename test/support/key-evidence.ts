/** A test that shows what a key does: its file, and words of its title as they stand in that file. */
export interface Evidence {
  file: string;
  title: string;
}

const seed = 'core/dsl/seed-files.test.ts';
const compile = 'core/dsl/compile.test.ts';
const agents = 'core/dsl/agents.test.ts';
const scheduling = 'core/engine/scheduling.test.ts';
const blocking = 'core/engine/blocking.test.ts';
const gates = 'core/engine/gates.test.ts';
const stands = 'core/engine/decisions-stand.test.ts';
const monitors = 'core/engine/monitors.test.ts';
const rollout = 'core/engine/rollout.test.ts';
const late = 'core/engine/late.test.ts';
const notices = 'core/engine/notices.test.ts';
const notify = 'activities/notify/notify.test.ts';
const saga = 'core/engine/saga.test.ts';
const views = 'core/engine/views.test.ts';
const seedRun = 'core/engine/seed-feature.test.ts';
const assign = 'core/learning/assign-task.test.ts';
const run = 'test/integration/run.test.ts';
const command = 'activities/executors/command.test.ts';
const simulate = 'activities/executors/simulate.test.ts';
const inputs = 'activities/bind-inputs.test.ts';

const show = (file: string, title: string): Evidence => ({ file, title });

/**
 * By `<level>.<name>`: what shows the effect of a key on a run. A key without an entry is shown by its effect on the plan
 * (core/dsl/keys.test.ts), which every key of workflows has.
 */
export const keyEvidence: Readonly<Record<string, Evidence>> = {
  'workflow.id': show('test/integration/contract-start.test.ts', 'a published definition is started by its id'),
  'workflow.timeline_hours': show(views, 'a status says where the run stands'),
  'workflow.allow_concurrent_agents': show(scheduling, 'the run starts no more steps at once than it may'),
  'workflow.approval_required_at': show(scheduling, 'a phase waits for its approval'),
  'workflow.inputs': show(inputs, 'what is not given has its default'),
  'workflow.defaults': show(compile, 'a step that says otherwise'),
  'workflow.on_failure': show(blocking, "a step's own policy wins over the run's"),
  'workflow.escalation': show(gates, 'escalation: each level adds its people and its time'),
  'workflow.escalate_after': show(stands, 'when the workflow says'),
  'workflow.approvers': show(gates, 'a group, with a group in it'),
  'workflow.timezone': show(seedRun, 'a final approval that is refused is asked again next Monday at nine'),
  'workflow.policy': show('core/learning/scoring.test.ts', 'the formula alone locks newcomers out, explore does not'),
  'workflow.notify': show('test/integration/notify.test.ts', 'each is told once, though the first tries fail'),
  'workflow.on_late': show(notices, 'projected: once in each phase'),
  'workflow.steps': show(seed, 'a step carries everything it says'),
  'workflow.agents': show(seed, 'the agents form: roles, order, one phase'),
  'workflow.phases': show(seed, 'the phases form: barriers, a gate, planned length'),
  'phase.duration_hours': show(views, 'the hours of a phase'),
  'phase.serial': show(scheduling, 'a serial phase runs its steps one at a time'),
  'phase.max_concurrent_agents': show(scheduling, 'so does a phase'),
  'phase.gate': show(scheduling, 'a phase waits for its condition'),
  'phase.steps': show(scheduling, 'a barrier opens when the phase before has passed'),
  'step.agent': show(scheduling, 'a step that names its agent has no other'),
  'step.role': show(assign, 'the role, and any role'),
  'step.skill_match': show(assign, 'all skills'),
  'step.count': show(scheduling, 'several results are put together'),
  'step.depends_on': show(run, 'a diamond of simulated steps completes, in order'),
  'step.parallel_with': show(seed, 'its warnings'),
  'step.input': show('activities/agent-activity.test.ts', 'what one agent puts out the next one gets'),
  'step.output': show('activities/agent-activity.test.ts', 'small text stays in the result under its promised name'),
  'step.quality': show(assign, 'critical work goes to those with confidence 0.5'),
  'step.tasks': show(command, 'gives the document on standard input'),
  'step.actions': show(compile, 'deploys: %s'),
  'step.estimated_duration': show(views, 'a chain'),
  'step.retry': show(run, 'a failed attempt is retried, then another agent takes over'),
  'step.approval_required': show(run, 'an approval by signal lets the run go on'),
  'step.approval': show(gates, 'after: the work comes first'),
  'step.requires': show(blocking, 'requires blocks before the step starts'),
  'step.must_pass': show(blocking, 'must_pass: all takes no false metric'),
  'step.gate': show(seedRun, 'a coverage that is too low blocks the tests'),
  'step.security_required': show(blocking, 'waits for the security step'),
  'step.can_block_merge': show(blocking, 'a merge waits for every unsettled one'),
  'step.can_block_deployment': show(blocking, 'a deployment likewise'),
  'step.if_blocked': show(blocking, 'defer: it runs again after that time'),
  'step.escalate_after': show(stands, 'when the step says'),
  'step.on_unknown': show('core/engine/unknown-outcome.test.ts', 'asks: approve tries again'),
  'step.environment': show(saga, 'a deployment to production'),
  'step.escalation_if': show(gates, 'in the result'),
  'step.deployment_strategy': show(rollout, 'run one after the other, by one agent'),
  'step.rollback_on': show(rollout, 'a condition undoes a deployment'),
  'deployment.blue_green': show(rollout, 'of blue_green'),
  'deployment.rolling': show(rollout, 'of rolling'),
  'deployment.recreate': show(rollout, 'of recreate'),
  'deployment.canary': show(rollout, 'shares of the traffic grow'),
  'canary.steps': show(rollout, 'shares of the traffic grow'),
  'canary.wait': show(rollout, 'each is looked at after its wait'),
  'canary.abort_if': show(rollout, 'abort_if that %s takes it back'),
  'step.auto_rollback_if': show(monitors, 'undoes the deployments it watches'),
  'step.compensate': show(saga, 'what was done is undone in reverse order of completion'),
  'step.duration': show(monitors, 'a sample at once, then one per interval by timer'),
  'step.metrics': show(monitors, 'its report: mean and maximum of each metric'),
  'step.interval': show(monitors, 'a sample at once, then one per interval by timer'),
  'step.alert_if': show(monitors, 'raised when the condition holds'),
  'step.alert_thresholds': show(monitors, 'raised when the condition holds'),
  'step.for': show(monitors, 'for N samples in a row'),
  'step.on_alert': show(monitors, 'on_alert fail fails the step'),
  'step.automatic_after_merge': show(gates, 'a manual start'),
  'step.async': show(scheduling, 'nothing waits for an async step'),
  'step.optional': show(scheduling, 'what fails an optional step only skips it'),
  'step.priority': show(scheduling, 'priority, then the longest remaining path'),
  'step.low_priority': show(scheduling, 'priority, then the longest remaining path'),
  'step.on_failure': show(blocking, 'block: everything is kept'),
  'step.reassign': show(scheduling, 'a failure goes to another agent, as often as reassign says'),
  'step.rework': show(run, 'changes that a reviewer requests are made in a new generation'),
  'step.if': show(blocking, 'if: false or unknown skips'),
  'step.policy': show('core/learning/scoring.test.ts', 'the formula alone locks newcomers out, explore does not'),
  'dependency.step': show(scheduling, 'and what it depends on'),
  'dependency.when': show(scheduling, 'and what it depends on'),
  'escalation.after': show(gates, 'escalation: each level adds its people and its time'),
  'escalation.to': show(gates, 'escalation: each level adds its people and its time'),
  'approval.when': show(gates, 'before: nothing is done until it is approved'),
  'approval.approvers': show(gates, 'a group, with a group in it'),
  'approval.quorum': show(gates, 'two of three approve'),
  'approval.distinct_from': show(gates, 'distinct_from'),
  'approval.timeout': show(gates, 'deadlines'),
  'approval.on_timeout': show(gates, 'deadlines'),
  'if_blocked.defer': show(blocking, 'defer: it runs again after that time'),
  'compensate.action': show(saga, 'how it is undone comes from'),
  'rework.steps': show(blocking, 'what was reviewed runs again with the comments'),
  'rework.max_rounds': show(blocking, 'at most max_rounds'),
  'on_late.add_agent': show(late, 'more agents, once in each phase'),
  'on_late.escalate': show(late, 'every open gate is put before its next level'),
  'on_late.notify': show(notices, 'projected: once in each phase, naming those whom the file names'),
  'notification.channel': show(notify, 'a webhook gets the document'),
  'notification.url': show(notify, 'a secret in the address'),
  'notification.to': show(notify, 'a mail: plain text'),
  'notification.on': show(notices, 'nobody is told where the plan has no channel, or none for the event'),
  'input.type': show(inputs, 'a duration is in milliseconds, however it is given'),
  'input.required': show('test/e2e/cli-runs.test.ts', 'a missing required input is the mistake of who starts it'),
  'input.default': show(inputs, 'what is not given has its default'),
  'agent.id': show(assign, 'the named one alone'),
  'agent.role': show(assign, 'the role, and any role'),
  'agent.skills': show(assign, 'all skills'),
  'agent.capacity': show('test/integration/db-waves.test.ts', 'of 1 is never exceeded by 20 waves at once'),
  'agent.cost': show('test/integration/db-effects.test.ts', 'what the agent says it cost wins over its rates'),
  'agent.compensate': show(saga, 'the agent'),
  'cost.usd_per_hour': show('test/integration/db-effects.test.ts', 'one outcome with its cost'),
  'executor.idempotent': show('test/integration/agent-activity.test.ts', 'ask, but idempotent: it goes on'),
  'command.argv': show(command, 'never uses a shell'),
  'command.env': show(command, 'hands over the allowed environment only'),
  'command.timeout': show(command, 'a timeout ends the agent and what it started'),
  'command.plain': show(command, 'plain: the text is the promised output'),
  'command.cwd': show(command, 'a missing directory'),
  'simulate.success': show(simulate, 'succeeds as often as it should'),
  'simulate.duration': show(simulate, 'duration: %s'),
  'simulate.metrics': show(simulate, 'configured metrics stand over the usual ones'),
  'simulate.verdict': show(simulate, 'an unknown verdict in the configuration'),
  'simulate.script': show(simulate, 'a script decides'),
  'simulate.journal': show(simulate, 'writes its key down'),
  'simulated_outcome.fail_attempts': show(simulate, 'attempts that fail first'),
  'simulated_range.min': show(simulate, 'ranges are drawn'),
  'simulated_range.max': show(simulate, 'ranges are drawn'),
};

/** Of a key of the agents file that has no entry above. */
export const agentKeyEvidence: Evidence = show(agents, 'an agent of each kind');
