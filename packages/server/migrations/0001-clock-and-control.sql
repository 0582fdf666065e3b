-- breaking: yes
-- The one clock of every decision. Milliseconds, because timestamptz(3) would otherwise round 01:59:59.9996 up into a window.
create function app_now() returns timestamptz
language sql volatile parallel restricted
as $$ select date_trunc('milliseconds', clock_timestamp()) $$;

-- Advisory locks have names here and nowhere else: (class, number).
create function lock_class_catalogue() returns integer language sql immutable parallel safe as $$ select 71001 $$;
create function lock_class_dispatch_all() returns integer language sql immutable parallel safe as $$ select 71002 $$;
create function lock_class_dispatch_bucket() returns integer language sql immutable parallel safe as $$ select 71003 $$;
create function lock_class_partition() returns integer language sql immutable parallel safe as $$ select 71004 $$;
create function lock_class_sequencer() returns integer language sql immutable parallel safe as $$ select 71005 $$;

-- One row of facts about the whole deployment.
create table control (
  only_row boolean primary key default true check (only_row),
  -- A cursor of live events is (epoch, position); a restore changes the epoch and so answers old cursors with an error.
  event_epoch uuid not null default gen_random_uuid(),
  -- 'observe' records what would have been held and holds nothing.
  mode text not null default 'enforce' check (mode in ('enforce', 'observe')),
  -- Holds of windows are written ahead to this instant. Beyond it nobody knows, so nothing is dispatched.
  expanded_until timestamptz(3) not null default '-infinity',
  -- An operator's order to dispatch although the expansion is stale, until this instant.
  expansion_override_until timestamptz(3) not null default '-infinity',
  zone_data_version text,
  created_at timestamptz(3) not null default app_now()
);
insert into control default values;

create table api_token (
  id bigint generated always as identity primary key,
  name text not null,
  -- The first characters, shown so that a person can tell tokens apart.
  prefix text not null,
  hash bytea not null unique,
  role text not null check (role in ('viewer', 'operator', 'approver', 'connector-author', 'auditor', 'admin')),
  created_by text not null,
  created_at timestamptz(3) not null default app_now(),
  expires_at timestamptz(3),
  revoked_at timestamptz(3),
  last_used_at timestamptz(3)
);

create table audit_entry (
  id bigint generated always as identity primary key,
  at timestamptz(3) not null default app_now(),
  actor text not null,
  action text not null,
  subject_kind text not null,
  subject_key text not null,
  reason text,
  before jsonb,
  after jsonb
);
create index audit_entry_subject on audit_entry (subject_kind, subject_key, id);

-- Live events. Commands write unnumbered rows; one sequencer gives them dense positions after their commit.
create table event_inbox (
  id bigint generated always as identity primary key,
  at timestamptz(3) not null default app_now(),
  kind text not null,
  subject_kind text not null,
  subject_key text not null,
  integration_key text,
  payload jsonb not null default '{}'
);

create table event_log (
  position bigint not null,
  at timestamptz(3) not null,
  kind text not null,
  subject_kind text not null,
  subject_key text not null,
  integration_key text,
  payload jsonb not null,
  primary key (at, position)
) partition by range (at);
create index event_log_position on event_log (position);

create table event_head (
  only_row boolean primary key default true check (only_row),
  last_position bigint not null default 0
);
insert into event_head default values;

-- Makes one day's partition of a table. The table is made aside and attached: CREATE ... PARTITION OF would lock the parent against everybody.
create function ensure_day_partition(parent text, day date) returns void
language plpgsql
as $$
declare
  child text := format('%s_%s', parent, to_char(day, 'YYYYMMDD'));
  opens timestamptz := day::timestamp at time zone 'UTC';
  closes timestamptz := (day + 1)::timestamp at time zone 'UTC';
begin
  if to_regclass(child) is not null then
    return;
  end if;
  perform pg_advisory_xact_lock(lock_class_partition(), 0);
  -- Asked of the table in a fresh snapshot: to_regclass reads a cache, which waiting for an advisory lock does not bring up to date.
  if exists (select from pg_class where relname = child and relnamespace = (select relnamespace from pg_class where oid = parent::regclass)) then
    return;
  end if;
  execute format('create table %I (like %I including defaults including constraints)', child, parent);
  execute format('alter table %I add constraint %I check (%I >= %L and %I < %L)',
    child, child || '_day', case parent when 'run' then 'due_at' else 'at' end, opens,
    case parent when 'run' then 'due_at' else 'at' end, closes);
  execute format('alter table %I attach partition %I for values from (%L) to (%L)', parent, child, opens, closes);
  execute format('alter table %I drop constraint %I', child, child || '_day');
end
$$;
