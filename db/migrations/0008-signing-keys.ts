import type { Migration } from './migration';

/**
 * Who signs with which key, and which start tokens were used. The application reads keys and can neither add nor change one: whoever
 * has its password, an agent's program for example, cannot make itself a person.
 */
export const signingKeys: Migration = {
  version: 8,
  name: 'signing-keys',
  sql: `
create table signing_keys (
  kid           text primary key,
  person        text not null,
  public_key    jsonb not null,
  registered_at timestamptz not null default now(),
  registered_by text not null default session_user,
  revoked_at    timestamptz,
  revoked_by    text
);
create index signing_keys_person on signing_keys (person);

create table start_tokens (
  jti         text primary key,
  root_run_id text not null,
  used_at     timestamptz not null default now()
);

alter table runs add column strict boolean not null default false;
`,
};
