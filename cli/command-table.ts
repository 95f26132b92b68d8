import type { CliCommand, CommandEntry } from './command';

/** Every command, in the order of `--help`. Only the one that is typed is loaded. */
export const commandTable: readonly CommandEntry[] = [
  entry('dev', 'run an environment here: Postgres, Temporal and a worker', () => import('./dev/dev.js')),
  entry('demo', 'an environment, a run of many agents, and real work: from nothing', () => import('./dev/demo.js')),
  entry('workflow run', 'start a run of a file', () => import('./workflow/run.js')),
  entry('workflow status', 'the dashboard of a run as text', () => import('./workflow/status.js')),
  entry('workflow watch', 'the same, live, until it has ended', () => import('./workflow/watch.js')),
  entry('workflow list', 'all runs', () => import('./workflow/list.js')),
  entry('workflow describe', 'what Temporal knows of a run', () => import('./workflow/describe.js')),
  entry('workflow result', 'how a run ended', () => import('./workflow/result.js')),
  entry('workflow timeline', 'when each step ran, against its estimate', () => import('./workflow/timeline.js')),
  entry('workflow history', "Temporal's events of a run", () => import('./workflow/history.js')),
  entry('workflow logs', 'what the agents of a run printed', () => import('./workflow/logs.js')),
  entry('workflow approve', 'approve a gate', () => import('./workflow/approve.js')),
  entry('workflow reject', 'reject a gate', () => import('./workflow/reject.js')),
  entry('workflow task', 'all of what you are asked to do in a step', () => import('./workflow/task.js')),
  entry('workflow report', 'report on a step that you do yourself', () => import('./workflow/report.js')),
  entry('workflow pause', 'start nothing new', () => import('./workflow/pause.js')),
  entry('workflow resume', 'go on', () => import('./workflow/resume.js')),
  entry('workflow adjust', 'change a run while it runs', () => import('./workflow/adjust.js')),
  entry('workflow cancel', 'stop, and undo what was done', () => import('./workflow/cancel.js')),
  entry('workflow rollback', 'undo what a terminated run did', () => import('./workflow/rollback.js')),
  entry('gates', 'everything that waits for a person', () => import('./gates.js')),
  entry('validate', 'check files without running them', () => import('./validate.js')),
  entry('plan', 'print what a file compiles to', () => import('./plan.js')),
  entry('graph', 'draw the steps of a file and what they wait for', () => import('./graph.js')),
  entry('fmt', 'rewrite files in the canonical layout', () => import('./fmt.js')),
  entry('schema', 'the JSON Schema of the language, for editors', () => import('./schema.js')),
  entry('publish', 'keep a definition so that it can be started by name', () => import('./publish.js')),
  entry('definitions list', 'what is published', () => import('./definitions/list.js')),
  entry('definitions show', 'the source of a published definition', () => import('./definitions/show.js')),
  entry('agents list', 'who is registered', () => import('./agents/list.js')),
  entry('keys create', 'make a key of your own, to sign approvals with', () => import('./keys/create.js')),
  entry('keys add', 'register a public key', () => import('./keys/add.js')),
  entry('keys list', 'who signs with which key', () => import('./keys/list.js')),
  entry('keys revoke', 'a key signs no more', () => import('./keys/revoke.js')),
  entry('audit show', 'who did what, when and why in a run', () => import('./audit/show.js')),
  entry('audit verify', 'check that nobody changed the trail', () => import('./audit/verify.js')),
  entry('db migrate', "bring the database to this version's schema", () => import('./db/migrate.js')),
  entry('db status', 'what is applied', () => import('./db/status.js')),
  entry('worker', 'run a worker against given services', () => import('./worker.js')),
  entry('doctor', 'what is missing on this machine, and how to get it', () => import('./dev/doctor.js')),
  { ...entry('temporal', 'the temporal CLI, pointed at this environment', () => import('./dev/temporal.js')), passThrough: true },
];

function entry(path: string, summary: string, load: () => Promise<{ command: CliCommand }>): CommandEntry {
  const [first = '', second] = path.split(' ');
  return { path: second === undefined ? [first] : [first, second], summary, load: async () => (await load()).command };
}
