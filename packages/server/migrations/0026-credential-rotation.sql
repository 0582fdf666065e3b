-- breaking: yes
-- A server before this one would go on with the secrets of the workspace where a rotation has put others in their place.

-- When the certificate among a secret's value ends, seen when the value was given: a sealed value tells nothing.
alter table endpoint_secret add column expires_at timestamptz(3);
-- How the secrets of an endpoint are renewed, as the workspace says.
alter table endpoint add column rotation jsonb not null default '{}';
-- The nearest of 30, 14, 7 and 1 days before the end of its client certificate that teams were told of, and of which end.
alter table endpoint add column credential_told_days integer;
alter table endpoint add column credential_told_end timestamptz(3);

-- Secrets in the place of those of the workspace: issued by the endpoint's system, or handed in by a person. Without one in force those of the workspace are.
create table credential (
  id bigint generated always as identity primary key,
  endpoint_id integer not null references endpoint on delete cascade,
  version integer not null check (version >= 1),
  in_force boolean not null default false,
  source text not null check (source in ('issued', 'handed-in')),
  -- Sealed as endpoint_secret.sealed, by name; emptied when the values are of no use any more.
  secrets jsonb not null,
  names text[] not null,
  expires_at timestamptz(3),
  made_at timestamptz(3) not null default app_now(),
  in_force_since timestamptz(3),
  unique (endpoint_id, version)
);
create unique index credential_in_force on credential (endpoint_id) where in_force;

-- Numbers of steps: each greater than all before it, so that a system that keeps the last one refuses what comes late.
create sequence credential_step;

-- One change of an endpoint's secrets, step by step; see core/credentials/rotation-state.ts.
create table credential_rotation (
  id uuid primary key default gen_random_uuid(),
  endpoint_id integer not null references endpoint on delete cascade,
  trigger text not null check (trigger in ('schedule', 'expiry', 'manual', 'staged')),
  state text not null check (state in ('awaiting', 'issuing', 'testing', 'checking', 'draining', 'revoking', 'returning', 'discarding', 'succeeded', 'unrevoked', 'failed')),
  requested_by text not null,
  reason text,
  begun_at timestamptz(3) not null default app_now(),
  state_since timestamptz(3) not null default app_now(),
  -- The fence: raised before every call into the system. Whoever holds an older number may not say how it ended.
  step bigint not null default 0,
  -- Tries of the present state that failed.
  failures integer not null default 0,
  next_at timestamptz(3) not null default app_now(),
  -- What is replaced (null: the secrets of the workspace) and by what.
  old_credential_id bigint references credential on delete set null,
  new_credential_id bigint references credential on delete set null,
  -- The secrets of the workspace at the beginning, by their fingerprints: whoever gives others means those.
  basis text not null,
  switched_at timestamptz(3),
  -- Runs that were claimed at or before this instant may work with what is to be revoked. Read after the commit of the switch.
  drain_from timestamptz(3),
  -- Why it failed, or what a person should know.
  problem text,
  ended_at timestamptz(3)
);
create unique index credential_rotation_open on credential_rotation (endpoint_id) where ended_at is null;
create index credential_rotation_due on credential_rotation (next_at) where ended_at is null;
create index credential_rotation_history on credential_rotation (endpoint_id, begun_at);
