import type { Migration } from './migration';

/**
 * A workflow task that was lost after its recordings is done again, with all that has arrived since: it says most of it again, in
 * other recordings. So what is said once is the line, not the recording: each has a key of its own (its execution, its content, how
 * often that was said). It is looked for after the last line that a completed task knew of, so no index is needed.
 */
export const linesOnce: Migration = {
  version: 3,
  name: 'lines-once',
  sql: `
alter table audit_events add column key uuid;

-- The same conditions without regular expressions: those took most of the time of writing a line. Only append_audit writes here.
create function is_run_id(id text) returns boolean language sql immutable parallel safe
  return length(id) between 1 and 200
    and translate(id, 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-', '') = '';
alter table audit_events drop constraint audit_events_root_run_id_check, drop constraint audit_events_prev_check,
  drop constraint audit_events_hash_check, add check (is_run_id(root_run_id)), add check (length(prev) = 64), add check (length(hash) = 64);
alter table runs drop constraint runs_root_run_id_check, add check (is_run_id(root_run_id));

drop function append_audit(text, text[]);
-- p_keys: of each body, null where it cannot come twice. A key that stands after line p_after is not written again.
create function append_audit(p_run text, p_bodies text[], p_keys uuid[] default null, p_after bigint default 0) returns bigint
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
  v_seq bigint := 0;
  v_prev text := repeat('0', 64);
  v_hash text;
  v_body text;
  v_known uuid[] := '{}';
begin
  if coalesce(cardinality(p_bodies), 0) = 0 then
    return null;
  end if;
  -- One writer per run at a time, until its transaction ends: the chain has no forks.
  perform pg_advisory_xact_lock(hashtextextended('vapora.audit/' || p_run, 0));
  select a.seq, a.hash into v_seq, v_prev from public.audit_events a where a.root_run_id = p_run order by a.seq desc limit 1;
  if not found then
    v_seq := 0;
    v_prev := repeat('0', 64);
  end if;
  if p_keys is not null and v_seq > p_after then
    select coalesce(array_agg(a.key), '{}') into v_known from public.audit_events a
      where a.root_run_id = p_run and a.seq > p_after and a.key = any (p_keys);
  end if;
  for n in 1 .. cardinality(p_bodies) loop
    continue when p_keys[n] = any (v_known);
    v_body := p_bodies[n];
    if v_body is null or v_body is not json object then
      raise exception 'an audit event is a JSON object, not %', coalesce(left(v_body, 100), 'null');
    end if;
    v_seq := v_seq + 1;
    v_hash := encode(sha256(convert_to(
      '{"event":' || v_body || ',"prev":"' || v_prev || '","run":"' || p_run || '","seq":' || v_seq || '}', 'UTF8')), 'hex');
    insert into public.audit_events (root_run_id, seq, prev, hash, body, key) values (p_run, v_seq, v_prev, v_hash, v_body, p_keys[n]);
    v_prev := v_hash;
  end loop;
  return v_seq;
end $$;

revoke all on function append_audit(text, text[], uuid[], bigint) from public;

-- Alerts are few: here an index keeps them apart.
alter table alerts add column key uuid;
create unique index alerts_once on alerts (root_run_id, key);

-- How far each execution of a run has recorded (a reset makes another one: the one that began last counts).
delete from recordings r using recordings newer
  where newer.root_run_id = r.root_run_id and newer.run_id = r.run_id and newer.sequence > r.sequence;
alter table recordings drop constraint recordings_pkey;
alter table recordings add primary key (root_run_id, run_id);
alter table recordings add column ordinal bigint generated always as identity;
alter table recordings rename column sequence to history_length;
update recordings set history_length = history_length / 10000;
alter table recordings set (fillfactor = 70);

-- What the database refused, for a reason that no repetition mends. No reference to runs: that may be what is missing.
create table recording_refusals (
  id bigserial primary key,
  key uuid not null unique,
  root_run_id text not null,
  run_id text not null,
  kind text not null check (kind in ('run', 'step', 'gate', 'vote', 'alert', 'audit', 'end', 'assignment')),
  object text not null,
  item text not null,
  code text,
  error text not null,
  refused_at timestamptz not null default now()
);
create index recording_refusals_of_run on recording_refusals (root_run_id, id);
`,
};
