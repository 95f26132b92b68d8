/** What a channel is told: the JSON document of a webhook, and all that the other channels make their text of. */

export const noticeEvents = ['alert', 'waiting', 'blocked', 'failed', 'completed', 'late'] as const;
export type NoticeEvent = (typeof noticeEvents)[number];

export const noticeChannels = ['log', 'webhook', 'slack', 'email'] as const;
export type NoticeChannelName = (typeof noticeChannels)[number];

/** Channels of one workflow. */
export const maxNoticeChannels = 20;

/** How a secret of the worker is written, here and in agents files. */
export const secretPattern = /\$\{secret:([A-Za-z_][A-Za-z0-9_]*)\}/g;

export interface NoticeChannel {
  channel: NoticeChannelName;
  /** May hold `${secret:NAME}`, which is looked up on the worker. */
  url?: string;
  to?: string;
}

/** What has happened, within its event. */
export type NoticeKind =
  | 'raised'
  | 'cleared'
  | 'opened'
  | 'reminded'
  | 'escalated'
  | 'completed'
  | 'failed'
  | 'rolled_back'
  | 'rollback_failed'
  | 'cancelled'
  | 'projected';

export interface NoticeGate {
  id: string;
  kind: 'approval' | 'phase' | 'start' | 'blocked' | 'unknown';
  step?: string;
  phase?: string;
  /** Approving it lets something pass that does not hold: it needs a reason. */
  isOverride: boolean;
  prompt?: string;
  /** What holds it back. */
  reason?: string;
  /** Of the result that the approver should read. */
  summary?: string;
  /** Who may decide; empty = anyone. */
  approvers: string[];
  /** Who may not, whoever the approvers are. */
  barred: string[];
  /** Approvals needed. */
  quorum: number;
  /** ISO 8601; null = nothing happens by itself. */
  deadline: string | null;
  /** What decides it, for a shell. */
  commands: { approve: string; reject: string };
}

/** A step that a person is asked to do. */
export interface NoticeTask {
  id: string;
  step: string;
  /** `undo`: what was done is to be undone. */
  mode: 'do' | 'undo';
  /** Who is asked. */
  agent: string;
  /** Who may report that it is done. */
  mayReport: string[];
  title?: string;
  /** The part of a deployment, or how it is undone. */
  action?: string;
  tasks: string[];
  /** What has to be delivered. */
  outputs: string[];
  /** ISO 8601; null = not while the run stands still. */
  deadline: string | null;
  /** What reports it, for a shell. */
  command: string;
}

export interface NoticeAlert {
  /** Empty: of the run as a whole. */
  step: string;
  name: string;
  severity: string;
  message: string;
  state: 'raised' | 'cleared';
}

/** In plan time (real time × time scale), from the start of the run. */
export interface NoticeLateness {
  plannedMs: number;
  /** When it will have ended, as far as is known; at least what has passed. */
  projectedMs: number;
  elapsedMs: number;
}

export interface NoticeDocument {
  schemaVersion: 1;
  /** The same for every attempt to deliver it by one channel, and for nothing else. */
  key: string;
  event: NoticeEvent;
  kind: NoticeKind;
  /** ISO 8601. */
  at: string;
  /** One line. */
  title: string;
  /** For people, several lines. */
  text: string;
  /** People who are to be told in particular (`on_late.notify`). */
  people: string[];
  run: {
    id: string;
    definition: string;
    title?: string;
    status: string;
    phase: string | null;
    reason?: string;
    initiator: string;
    timeScale: number;
  };
  gate?: NoticeGate;
  task?: NoticeTask;
  alert?: NoticeAlert;
  late?: NoticeLateness;
  /** Of a run that has ended: how many steps ended in each state, and how long it took in real time. */
  end?: { steps: Record<string, number>; tookMs: number };
}

// --- vapora.notify: an ordinary activity, tried several times ----------------------------------------------------------

export interface NotifyInput {
  notice: NoticeDocument;
  channel: NoticeChannel;
}

export interface NotifyOutput {
  /** Whom it reached, without what is secret about it: the host of a webhook, the address of a mail. */
  address: string;
  attempt: number;
}

/** ApplicationFailure types of `vapora.notify`. */
export const noticeFailureTypes = {
  /** Tried again. */
  undelivered: 'NoticeUndelivered',
  /** Nothing that another try would mend: a setting is missing, the address is refused. */
  undeliverable: 'NoticeUndeliverable',
} as const;
