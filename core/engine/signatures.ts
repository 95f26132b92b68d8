import { unsignedAdjustments } from '../contract/adjustments';
import type { Actor } from '../contract/local-activities';
import type { Refusal } from '../contract/messages';
import { personName, unknownPerson } from '../contract/person-name';
import { looksLikeToken, type VerifiedToken, type VerifyInput, type VoteClaims } from '../contract/signed-requests';
import { judgeAdjustment, refuseAdjustment } from './adjustments/adjust-run';
import { jsonBytes } from '../contract/text-size';
import { ignoreVote } from './gates';
import type { Run } from './run';
import type { Vote } from './run-state';
import { ignoreReport, judgeReport } from './tasks';
import type { AdjustmentRequest, PersonalEvent, Report } from './types';
import { generationOf, judgeVote } from './votes';

/** So many signatures are verified by one activity. */
const maxBatch = 100;
/** With what the signatures are of: an activity's input has to stay well below Temporal's 2 MiB. */
const maxBatchBytes = 1_000_000;

type Counted = Extract<VerifiedToken, { ok: true }>;

/** A request, as far as its signature goes. */
type Signed =
  | { type: 'voted'; vote: Vote; token?: string | undefined }
  | { type: 'adjusted'; request: AdjustmentRequest; token?: string | undefined }
  | { type: 'reported'; report: Report; token?: string | undefined };

/** Why it does not count as it is signed, or not signed; undefined where it may. Changes nothing. */
export function judgeSignature(run: Run, request: Signed): Refusal | undefined {
  const { signatures } = run.options;
  const { token } = request;
  if (signatures === undefined) return undefined;
  if (token !== undefined) return looksLikeToken(token) ? undefined : bad('it is no signature in compact form (three parts with dots)');
  if (signatures === 'accepted' || isFree(request)) return undefined;
  return { code: 'unsigned', reason: 'this run takes signed requests only' };
}

/** What only holds or ends the run, or says how far somebody is. */
function isFree(request: Signed): boolean {
  if (request.type === 'adjusted') return unsignedAdjustments.has(request.request.adjustment.kind);
  return request.type === 'reported' && request.report.result === undefined;
}

/**
 * Takes a request that is not verified. True where that is all for now: it waits until its signature is verified (`takeVerified`), or it
 * is refused. What would be refused whoever signed it is left to be refused so.
 */
export function holdRequest(run: Run, event: PersonalEvent): boolean {
  if (run.options.signatures === undefined || isVerified(event)) return false;
  if (isRefused(run, event)) return false;
  const refusal = judgeSignature(run, event);
  if (refusal !== undefined) {
    refuseRequest(run, event, refusal);
    return true;
  }
  if (event.token === undefined) return false;
  run.unverified.push(event);
  return true;
}

/** Why a change would be refused, whoever signed it; undefined where that is not known yet. Changes nothing. */
export function judgeChange(run: Run, request: AdjustmentRequest, token: string | undefined): Refusal | undefined {
  const isNameless = request.by.id === unknownPerson && token !== undefined && run.options.signatures !== undefined;
  // Who it is, only the token says: what that person may do is judged when it is verified.
  return isNameless ? undefined : judgeAdjustment(run, request);
}

function isRefused(run: Run, event: PersonalEvent): boolean {
  switch (event.type) {
    case 'voted':
      return !judgeVote(run, event.vote).ok;
    case 'adjusted':
      return judgeChange(run, event.request, event.token) !== undefined;
    case 'reported':
      return !judgeReport(run, event.report).ok;
  }
}

function isVerified(event: PersonalEvent): boolean {
  if (event.type === 'reported') return event.report.key !== undefined;
  return (event.type === 'voted' ? event.vote.assurance : event.request.by.assurance) === 'verified';
}

/** Asks for one batch of signatures at a time: they are taken up in the order in which they came. */
export function requestVerification(run: Run): void {
  if (run.verifying !== undefined || run.unverified.length === 0) return;
  let bytes = 0;
  let count = 0;
  for (const event of run.unverified) {
    bytes += jsonBytes(signatureOf(event));
    if (count === maxBatch || (count > 0 && bytes > maxBatchBytes)) break;
    count += 1;
  }
  run.verifying = run.unverified.splice(0, count);
  run.state.verifications = (run.state.verifications ?? 0) + 1;
  run.decisions.push({
    type: 'verify',
    id: `${run.state.verifications}`,
    tokens: run.verifying.map(signatureOf),
  });
}

function signatureOf(event: PersonalEvent): VerifyInput['tokens'][number] {
  const { token = '' } = event;
  return event.type !== 'voted' && event.message !== undefined ? { token, message: event.message } : { token };
}

/** The answer to `verify`, in the order of what was asked: what counts, signed by whom it says. All else is refused. */
export function takeVerified(run: Run, verified: readonly VerifiedToken[]): PersonalEvent[] {
  const events = run.verifying ?? [];
  delete run.verifying;
  const unanswered: VerifiedToken = { ok: false, code: 'bad_token', reason: 'its signature could not be verified' };
  return events.flatMap((event, index) => {
    const answer = verified[index] ?? unanswered;
    const refusal = answer.ok ? judgeClaims(run, event, answer) : answer;
    if (!answer.ok || refusal !== undefined) {
      refuseRequest(run, event, refusal ?? unanswered);
      return [];
    }
    (run.state.usedTokens ??= []).push(nameOf(answer));
    return [signedBy(event, { kind: 'person', id: personName(answer.claims.sub), assurance: 'verified', key: answer.key })];
  });
}

/** The run has ended: whatever waits for its verification is told so. */
export function refuseUnverified(run: Run): void {
  const waiting = [...(run.verifying ?? []), ...run.unverified.splice(0)];
  delete run.verifying;
  for (const event of waiting) refuseRequest(run, event, { code: 'run_ended', reason: `the run has ended: ${run.state.status}` });
}

/** Says in the audit, and to whoever asked, why it does not count. */
export function refuseRequest(run: Run, event: PersonalEvent, { code, reason }: Refusal): void {
  if (event.type === 'voted') ignoreVote(run, event.vote, { code, reason });
  else if (event.type === 'reported') ignoreReport(run, event.report, { code, reason });
  else refuseAdjustment(run, event.request, { code, reason });
  event.answer?.({ ok: false, code, reason });
}

/** Somebody else's token may have the same id. */
function nameOf({ claims, key }: Counted): string {
  return `${key}/${claims.jti}`;
}

/** The signature is good: is it of this request, about this run as it is now, and for the first time? */
function judgeClaims(run: Run, event: PersonalEvent, token: Counted): Refusal | undefined {
  const { claims } = token;
  const { planHash, run: ids } = run.options;
  const by = whoAsks(event);
  const signer = personName(claims.sub);
  // Who gives no name is whoever has signed.
  const isNameless = event.type === 'adjusted' && by === unknownPerson;
  if (!isNameless && signer !== by) return bad(`it is signed by ${signer}, not by ${by}`);
  if (claims.act === 'start') return bad('it was signed for the start of a run');
  if (claims.run !== ids.rootRunId) return bad('it was signed for another run');
  if (claims.plan !== planHash) return bad('it was signed for another plan than the run follows');
  if (run.state.usedTokens?.includes(nameOf(token)) === true) {
    return { code: 'replayed_token', reason: 'its token has counted already: every vote and every change is signed anew' };
  }
  const act = ({ voted: 'vote', adjusted: 'adjust', reported: 'report' } as const)[event.type];
  if (claims.act !== act) return bad(`it was signed as ${actNames[claims.act]}`);
  return event.type === 'voted' && claims.act === 'vote' ? judgeVoteClaims(run, event.vote, claims) : undefined;
}

const actNames = { vote: 'a vote', adjust: 'a change of the run', report: 'a report on a step' };

function whoAsks(event: PersonalEvent): string {
  if (event.type === 'adjusted') return event.request.by.id;
  return event.type === 'voted' ? event.vote.by : event.report.by;
}

function judgeVoteClaims(run: Run, { gate, decision, reason }: Vote, claims: VoteClaims): Refusal | undefined {
  if (claims.gate !== gate) return bad(`it was signed for the gate ${claims.gate}`);
  if (claims.decision !== decision) return bad(`it was signed to ${claims.decision}`);
  if ((claims.reason ?? '') !== (reason ?? '')) return bad('it was signed with another reason');
  const generation = generationOf(run, gate);
  if (claims.generation === undefined || claims.generation === generation) return undefined;
  return bad(`it was signed for generation ${claims.generation} of ${gate}, which is at ${generation ?? 'none'} now: look at the new one`);
}

function bad(why: string): Refusal {
  return { code: 'bad_token', reason: `its token does not count: ${why}` };
}

function signedBy({ token: _, ...event }: PersonalEvent, signer: Actor & { key: string }): PersonalEvent {
  if (event.type === 'adjusted') return { ...event, request: { ...event.request, by: signer } };
  if (event.type === 'reported') return { ...event, report: { ...event.report, key: signer.key } };
  return { ...event, vote: { ...event.vote, assurance: 'verified', key: signer.key } };
}
