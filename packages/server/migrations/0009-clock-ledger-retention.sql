-- breaking: no
alter table control
  -- The database's clock jumped and nobody has looked yet: while this is set, nothing is dispatched and nothing is decided by the time.
  add column clock_stepped_at timestamptz(3),
  -- By how many milliseconds it jumped (forward above zero), as the server saw it that saw it first.
  add column clock_step jsonb,
  -- How often somebody has looked. A server that learns late of a jump knows by it that the jump is dealt with.
  add column clock_acknowledgements integer not null default 0,
  -- How many days runs and events are kept; null: as the servers are configured.
  add column run_retention_days integer check (run_retention_days between 35 and 36500),
  add column event_retention_days integer check (event_retention_days between 7 and 36500),
  -- Due times before this instant may be gone: reports and the ledger do not look there.
  add column runs_retained_from timestamptz(3) not null default '-infinity',
  -- The planner's statistics were renewed last at this instant.
  add column analyzed_at timestamptz(3) not null default '-infinity';

-- Ranges of due times that began before a period and reach into it; without the index every look at a period reads all of the past.
create index run_range on run (last_due_at) where due_count > 1;

-- The running check that every due time is accounted for: the round under way, and the last one that was finished.
create table conservation_round (
  phase text primary key check (phase in ('under-way', 'finished')),
  begins_at timestamptz(3) not null,
  ends_at timestamptz(3) not null,
  -- The round has looked at the jobs up to this id.
  last_job_id integer not null default 0,
  -- A server is at its next piece; the others leave it alone until then.
  leased_until timestamptz(3) not null default '-infinity',
  expected bigint not null default 0,
  accounted bigint not null default 0,
  difference bigint not null default 0,
  by_state jsonb not null default '{}',
  -- The first due times that differ, with their jobs.
  differences jsonb not null default '[]',
  at timestamptz(3) not null
);

-- One server at a time lets old partitions go.
create function lock_class_retention() returns integer language sql immutable parallel safe as $$ select 71009 $$;

-- Events up to this position may be gone, whatever is still there of them: a reader from before it has missed something.
alter table event_head add column dropped_through bigint not null default 0;
