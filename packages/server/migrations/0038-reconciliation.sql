-- breaking: no
-- Comparing what the two sides of an integration hold, and mending what differs.
alter table job add column reconcile boolean not null default false;
alter table job add constraint job_one_work check (not (push and reconcile));

-- One comparison of an integration, done by one run. Where it stands is told by that run; `ended_at` says that it was done.
create table reconciliation (
  id bigint generated always as identity primary key,
  integration_id integer not null references integration on delete cascade,
  run_id uuid not null unique,
  -- schedule: a run of a job with reconcile. window: queued when an occurrence closed.
  origin text not null check (origin in ('request', 'schedule', 'window')),
  occurrence_id bigint references occurrence on delete set null,
  requested_by text not null,
  reason text,
  created_at timestamptz(3) not null default app_now(),
  started_at timestamptz(3),
  ended_at timestamptz(3)
);
create index reconciliation_integration on reconciliation (integration_id, id);
create index reconciliation_occurrence on reconciliation (occurrence_id) where occurrence_id is not null;

-- A stream of it. The counts stand when ended_at is set; before, source_records and target_records say how far it is.
create table reconciliation_stream (
  reconciliation_id bigint not null references reconciliation on delete cascade,
  stream text not null,
  method text check (method in ('digest', 'hashes', 'keys', 'counts')),
  phase text not null check (phase in ('source', 'target', 'comparing', 'second-look', 'done')),
  source_records bigint not null default 0,
  target_records bigint not null default 0,
  equal bigint not null default 0,
  only_source bigint not null default 0,
  only_target bigint not null default 0,
  different bigint not null default 0,
  changing bigint not null default 0,
  unfit bigint not null default 0,
  -- There are more differences than are kept by key.
  is_truncated boolean not null default false,
  samples jsonb not null default '[]',
  started_at timestamptz(3) not null default app_now(),
  ended_at timestamptz(3),
  primary key (reconciliation_id, stream)
);

-- The records that differ, by their keys at the target.
create table reconciliation_difference (
  reconciliation_id bigint not null references reconciliation on delete cascade,
  stream text not null,
  key text not null,
  kind text not null check (kind in ('only-source', 'only-target', 'different')),
  -- open: nobody has dealt with it. repaired: written or deleted. refused: a dead letter by now. kept: the stream deletes nothing. gone: at neither
  -- side any more. hidden: its key holds a secret, so it is not known well enough.
  state text not null default 'open' check (state in ('open', 'repaired', 'refused', 'kept', 'gone', 'hidden')),
  primary key (reconciliation_id, stream, key)
);
create index reconciliation_difference_open on reconciliation_difference (reconciliation_id, stream, key) where state = 'open';

-- Keys and hashes of a side that was read whole, while it is compared: put in order by the index. Nothing in it outlives its comparison.
create unlogged table reconciliation_entry (
  reconciliation_id bigint not null,
  stream text not null,
  side text not null check (side in ('source', 'target')),
  key text collate "C" not null,
  hash text not null,
  primary key (reconciliation_id, stream, side, key)
);

-- A run that mends differences.
create table reconciliation_resync (
  id bigint generated always as identity primary key,
  reconciliation_id bigint not null references reconciliation on delete cascade,
  run_id uuid not null unique,
  confirms_deletions boolean not null,
  requested_by text not null,
  reason text not null,
  created_at timestamptz(3) not null default app_now()
);
create index reconciliation_resync_of on reconciliation_resync (reconciliation_id, id);
