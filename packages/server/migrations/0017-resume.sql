-- breaking: yes
-- Resume: readiness before a release, first runs ahead of the rest, a ramp for each target system. Older servers would release without asking.

-- core's resume policy; what is left out is as in its default. A hold keeps what its window said when the hold was written.
alter table maintenance_window add column resume jsonb not null default '{}';
alter table hold
  add column resume jsonb not null default '{}',
  -- One resume's word instead of the jobs' own policies, for the runs that this hold held.
  add column catch_up text check (catch_up in ('skip', 'coalesce', 'all')),
  -- An unready hold that keeps the rest while the first runs after this occurrence are tried.
  add column canary_of bigint references occurrence on delete cascade,
  add check (canary_of is null or kind = 'unready');
create unique index hold_canary on hold (canary_of) where released_at is null;
create index hold_canary_of on hold (canary_of) where canary_of is not null;

alter table occurrence
  -- Its end was reached and the checks of its systems are asked.
  add column verifying_at timestamptz(3),
  -- The checks did not pass within the policy's wait. Kept as the record.
  add column overrun_at timestamptz(3),
  -- Its first runs failed: the rest waits for a passing check or an operator. null again when they are tried anew.
  add column reheld_at timestamptz(3),
  -- What reconciliation found after it; null: nobody has compared.
  add column verified boolean;
create index occurrence_unready on occurrence (id) where closed_at is null and (verifying_at is not null or reheld_at is not null);

-- One check of one endpoint that an occurrence waits for. next_at moves before the call, so that one server makes it; attempts is the fence.
create table readiness_check (
  occurrence_id bigint not null references occurrence on delete cascade,
  endpoint_id integer not null references endpoint on delete cascade,
  attempts integer not null default 0,
  last_at timestamptz(3),
  next_at timestamptz(3) not null,
  ok boolean not null default false,
  error text,
  primary key (occurrence_id, endpoint_id)
);
create index readiness_check_due on readiness_check (next_at) where not ok;

-- The runs that go ahead through a canary hold, for the target system they try.
create table canary (
  hold_id bigint not null references hold on delete cascade,
  trial integer not null,
  system_id integer not null references system on delete cascade,
  run_id uuid not null,
  run_due_at timestamptz(3) not null,
  -- A later due time of the same job that goes with it, and joins it if the job coalesces.
  follows boolean not null default false,
  primary key (hold_id, run_id, system_id)
);
-- Which attempt at first runs a canary hold is in; attempts after a failure try other runs.
alter table hold add column canary_trial integer not null default 0;

-- The ramp of a target system: the earliest start of whoever comes next.
create table system_ramp (
  system_id integer primary key references system on delete cascade,
  next_at timestamptz(3) not null
);

-- What one transaction of the sweep let go of what a hold held; first_at to last_at evenly, as the ramp spaces them.
create table resume_batch (
  id bigint generated always as identity primary key,
  hold_id bigint not null references hold on delete cascade,
  at timestamptz(3) not null,
  first_at timestamptz(3),
  last_at timestamptz(3),
  queued integer not null,
  skipped integer not null,
  coalesced integer not null
);
create index resume_batch_hold on resume_batch (hold_id);

-- A released member is settled when no run waits for it any more: each was let go, or is listed under the holds that keep it. The sweep looks
-- at these rows instead of every held run.
alter table hold_member add column settled_at timestamptz(3);
create index hold_member_unsettled on hold_member (integration_id) include (hold_id) where released_at is not null and settled_at is null;

create function lock_class_sweep() returns integer language sql immutable parallel safe as $$ select 71017 $$;

-- The integrations that have held runs, by skipping through the partial index of each day: one step an integration and day, however many runs.
-- In plpgsql, which keeps its plan: to plan it takes as long as to run it (70 ms with 60 days).
create function held_integrations() returns setof integer
language plpgsql stable
set plan_cache_mode = force_generic_plan
as $$
begin
  return query
  with recursive day as (
    select coalesce(day.opens, '-infinity') as opens, coalesce(day.opens + interval '1 day', 'infinity') as closes
    from pg_inherits as i join pg_class as child on child.oid = i.inhrelid
    -- A partition of some other name may hold any day.
    cross join lateral (select to_date(substring(child.relname from '_(\d{8})$'), 'YYYYMMDD')::timestamp at time zone 'UTC' as opens) as day
    where i.inhparent = 'run'::regclass
  ),
  step as (
    select day.opens, day.closes, first.id
    from day cross join lateral (
      select r.integration_id as id from run as r
      where r.state = 'held' and r.due_at >= day.opens and r.due_at < day.closes
      order by r.integration_id limit 1) as first
    union all
    select step.opens, step.closes, next.id
    from step cross join lateral (
      select r.integration_id as id from run as r
      where r.state = 'held' and r.integration_id > step.id and r.due_at >= step.opens and r.due_at < step.closes
      order by r.integration_id limit 1) as next
  )
  select distinct step.id from step;
end
$$;
