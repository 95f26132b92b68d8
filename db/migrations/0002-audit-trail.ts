import type { Migration } from './migration';

/**
 * The audit trail. The application's role has no right to write to `audit_events`; it can only call `append_audit`, which runs
 * as the owner and alone decides number, link and hash. The hashed bytes are RFC 8785 canonical by construction: the keys stand
 * in order and each body arrives canonical.
 */
export const auditTrail: Migration = {
  version: 2,
  name: 'audit-trail',
  sql: `
create table audit_events (
  root_run_id text not null check (root_run_id ~ '^[A-Za-z0-9_.-]{1,200}$'),
  seq bigint not null check (seq >= 1),
  prev text not null check (prev ~ '^[0-9a-f]{64}$'),
  hash text not null check (hash ~ '^[0-9a-f]{64}$'),
  body text not null,
  primary key (root_run_id, seq)
);

create function append_audit(p_run text, p_bodies text[]) returns bigint
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
  v_seq bigint := 0;
  v_prev text := repeat('0', 64);
  v_hash text;
  v_body text;
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
  foreach v_body in array p_bodies loop
    if v_body is null or v_body is not json object then
      raise exception 'an audit event is a JSON object, not %', coalesce(left(v_body, 100), 'null');
    end if;
    v_seq := v_seq + 1;
    v_hash := encode(sha256(convert_to(
      '{"event":' || v_body || ',"prev":"' || v_prev || '","run":"' || p_run || '","seq":' || v_seq || '}', 'UTF8')), 'hex');
    insert into public.audit_events (root_run_id, seq, prev, hash, body) values (p_run, v_seq, v_prev, v_hash, v_body);
    v_prev := v_hash;
  end loop;
  return v_seq;
end $$;

revoke all on function append_audit(text, text[]) from public;
`,
};
