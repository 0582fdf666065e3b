-- breaking: yes
create table worker (
  id uuid primary key,
  name text not null,
  started_at timestamptz(3) not null default app_now(),
  lease_until timestamptz(3) not null,
  stopped_at timestamptz(3)
);

-- The run table is the truth: every due time is a row (or lies inside the range of one), and ends in exactly one state.
create table run (
  id uuid not null,
  due_at timestamptz(3) not null,
  -- A range row stands for several due times of one job, from due_at to last_due_at.
  last_due_at timestamptz(3) not null,
  due_count integer not null default 1 check (due_count >= 1),
  due_local text,
  job_id integer,
  integration_id integer not null,
  bucket integer not null,
  schedule_version integer,
  trigger text not null check (trigger in ('schedule', 'manual', 'webhook', 'queue', 'replay', 'reconcile', 'rotate', 'gate', 'break-glass')),
  state text not null check (state in ('queued', 'running', 'succeeded', 'failed', 'held', 'skipped', 'coalesced', 'cancelled', 'lost', 'dead')),
  ready_at timestamptz(3) not null,
  attempt integer not null default 0,
  -- Attempts that were handed back and cost none of the retries. The number of an attempt is never used again: it is half of the fence.
  given_back integer not null default 0,
  worker_id uuid,
  -- Only for work that runs elsewhere and renews by itself; our own runs live by their worker's lease.
  lease_until timestamptz(3),
  started_at timestamptz(3),
  finished_at timestamptz(3),
  -- The holds that covered the run when it was last held, and since when; kept after the release as the record.
  held_by bigint[],
  held_since timestamptz(3),
  released_at timestamptz(3),
  -- The holds in mode observe that would have held it.
  observed_by bigint[],
  -- Holds that this run may pass, by an operator's break-glass order.
  passes_holds bigint[],
  coalesced_into uuid,
  requested_by text,
  reason text,
  error jsonb,
  figures jsonb,
  created_at timestamptz(3) not null default app_now(),
  primary key (due_at, id)
) partition by range (due_at);
create unique index run_due on run (job_id, due_at) where trigger = 'schedule';
create index run_queued on run (ready_at, job_id) where state = 'queued';
create index run_job_waiting on run (job_id, due_at) where state in ('queued', 'held');
create index run_held on run (integration_id, due_at) where state = 'held';
create index run_running on run (integration_id) where state = 'running';
create index run_gate on run (lease_until) where trigger = 'gate' and state in ('queued', 'held', 'running');
create index run_integration on run (integration_id, due_at);
create index run_job on run (job_id, due_at) where trigger <> 'schedule';

-- A run's id begins with its due time (as UUID version 7 does with the time), so a run is found by id in one partition.
create function new_run_id(due timestamptz) returns uuid
language sql volatile parallel safe
as $$
  select (lpad(to_hex(floor(extract(epoch from due) * 1000)::bigint), 12, '0')
    || '7' || substr(r, 1, 3) || '8' || substr(r, 4, 3) || substr(r, 7, 12))::uuid
  from (select replace(gen_random_uuid()::text, '-', '') as r) as random
$$;

-- The due time that an id begins with: the partition key, for whoever has only the id.
create function run_due_of_id(id uuid) returns timestamptz
language sql immutable parallel safe
as $$
  select to_timestamp(('x' || lpad(substr(replace(id::text, '-', ''), 1, 12), 16, '0'))::bit(64)::bigint / 1000.0)
$$;

create function ensure_run_partitions(first timestamptz, last timestamptz) returns void
language plpgsql
as $$
declare
  day date := (first at time zone 'UTC')::date;
begin
  while day <= (last at time zone 'UTC')::date loop
    perform ensure_day_partition('run', day);
    day := day + 1;
  end loop;
end
$$;
