-- breaking: no
-- A year of days. To plan a statement over all of them takes longer than to run it (half a second on a busy machine, 400 days); but what is
-- asked all day long is about runs that have not ended, and these lie in the last few days. Where their days begin is known, and is given
-- to every such statement as a plain value, by which PostgreSQL leaves the other days out before it plans.

-- No run that has not ended was due before this instant.
alter table control add column runs_open_since timestamptz(3) not null default to_timestamp(0);

-- Taken shared by whoever inserts runs, after inserting and until the commit; by the one who moves the instant ahead alone, before looking. So
-- either that one sees the run, or the inserter sees the new instant and takes it back.
create function lock_class_runs_open_since() returns integer language sql immutable parallel safe as $$ select 71021 $$;

create function lower_runs_open_since(p_due timestamptz) returns void
language plpgsql volatile
as $$
begin
  perform pg_advisory_xact_lock_shared(lock_class_runs_open_since(), 0);
  -- In a statement of its own, after the lock: in a fresh snapshot.
  update control set runs_open_since = p_due where runs_open_since > p_due;
end
$$;

-- An ended run never opens again (core's table of transitions), so nothing but an insert can be early.
create function keep_runs_open_since() returns trigger
language plpgsql volatile
as $$
declare
  v_first timestamptz := (select min(due_at) from made where state in ('queued', 'held', 'running'));
begin
  if v_first is not null then
    perform lower_runs_open_since(v_first);
  end if;
  return null;
end
$$;
create trigger run_opened after insert on run referencing new table as made for each statement execute function keep_runs_open_since();

-- Moves the instant ahead to the first day that has a run which has not ended, at most to the beginning of yesterday. One call looks at some of
-- the days, for whoever inserts runs waits meanwhile.
create function raise_runs_open_since() returns void
language plpgsql volatile
set lock_timeout = '250ms'
-- An ended day is told by its empty partial indexes, whatever the statistics say.
set enable_seqscan = off
as $$
declare
  v_since timestamptz;
  v_until timestamptz := date_trunc('day', app_now() - interval '1 day', 'UTC');
  v_part record;
  v_first timestamptz;
  v_looked integer := 0;
  v_is_open boolean;
begin
  perform pg_advisory_xact_lock(lock_class_runs_open_since(), 0);
  select runs_open_since into v_since from control;
  for v_part in
    select i.inhrelid::regclass as name, day.opens
    from pg_inherits as i join pg_class as child on child.oid = i.inhrelid
    -- A partition of some other name may hold any day.
    cross join lateral (select to_date(substring(child.relname from '_(\d{8})$'), 'YYYYMMDD')::timestamp at time zone 'UTC' as opens) as day
    where i.inhparent = 'run'::regclass and (day.opens is null or day.opens + interval '1 day' > v_since)
    order by day.opens nulls first
  loop
    exit when v_part.opens >= v_until;
    v_looked := v_looked + 1;
    if v_looked > 100 then
      v_until := v_part.opens;
      exit;
    end if;
    if v_part.opens is null then
      execute format('select min(due_at) from %s where state in (''queued'', ''held'', ''running'')', v_part.name) into v_first;
      v_until := least(v_until, v_first);
    else
      execute format('select exists (select from %1$s where state in (''queued'', ''held'')) or exists (select from %1$s where state = ''running'')', v_part.name)
        into v_is_open;
      if v_is_open then
        v_until := v_part.opens;
        exit;
      end if;
    end if;
  end loop;
  update control set runs_open_since = v_until where runs_open_since < v_until;
exception when lock_not_available then
  -- Somebody inserts for long, or has a day or the control row in hand; the next call tries again.
  return;
end
$$;

-- As in 0012, planned at every call, and looking back no further than runs may be open.
create or replace function claim_runs(p_worker uuid, p_ids uuid[], p_dues timestamptz[], p_limit integer)
returns table (run_id uuid, run_due_at timestamptz, run_job_id integer, run_integration_id integer, run_attempt integer, verdict text, at timestamptz,
  job_key text, integration_key text, timeout_seconds integer, retry jsonb)
language plpgsql volatile
set lock_timeout = '250ms'
set enable_seqscan = off
-- A scan that is "off" costs ten thousand millions, and PostgreSQL would compile the plan for a minute's work (60 ms a call, measured).
set jit = off
-- Planned at every call, which knows its due times: a plan for any due time opens and locks every day of the table, and of a year of days that
-- took ten times as long as the claim itself.
set plan_cache_mode = force_custom_plan
as $$
declare
  v_now timestamptz;
  v_first timestamptz;
  v_last timestamptz;
  v_buckets integer[];
  v_control control%rowtype;
  v_refused uuid[] := '{}';
  v_capped boolean;
  v_systems integer[] := '{}';
  v_locked uuid[];
  v_jobs integer[];
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'claim_runs needs READ COMMITTED, found %', current_setting('transaction_isolation');
  end if;
  select min(d), max(d) into v_first, v_last from unnest(p_dues) as d;
  if v_first is null then
    return;
  end if;

  perform pg_advisory_xact_lock_shared(lock_class_dispatch_all(), 0);
  -- Try-locks stand in the target list over distinct, ordered buckets: in a WHERE the planner may call them for rows nobody asked for.
  select coalesce(array_agg(tried.bucket) filter (where tried.got), '{}') into v_buckets
  from (
    select wanted.bucket, pg_try_advisory_xact_lock_shared(lock_class_dispatch_bucket(), wanted.bucket) as got
    from (
      select distinct r.bucket
      from unnest(p_ids, p_dues) as p(id, due_at)
      -- LATERAL with a limit, here and below: each asked run is found by its primary key. As a plain join the planner reads everything that is
      -- queued instead when its statistics say that hardly anything is, and that is so just after a release (40 ms a claim became 350).
      cross join lateral (
        select one.bucket from run as one where one.id = p.id and one.due_at = p.due_at and one.due_at between v_first and v_last limit 1) as r
      order by r.bucket
      offset 0
    ) as wanted
  ) as tried;

  v_capped := exists (select from system where max_concurrent_runs is not null);
  if v_capped then
    -- After shared(all): before it two claims deadlock with a writer between them. Skipped, not waited for: a command that changes a system's
    -- row holds it until its commit, and only the runs on that system have to wait for the next try.
    with asked as materialized (
      select distinct r.integration_id
      from unnest(p_ids, p_dues) as p(id, due_at)
      cross join lateral (
        select one.integration_id from run as one
        where one.id = p.id and one.due_at = p.due_at and one.due_at between v_first and v_last limit 1) as r
    )
    select coalesce(array_agg(locked.id), '{}') into v_systems
    from (
      select s.id from system as s
      where s.max_concurrent_runs is not null
        and s.id in (
          select route.system_id from asked join integration_system as route on route.integration_id = asked.integration_id
        )
      order by s.id
      for no key update of s skip locked
    ) as locked;
  end if;

  v_now := app_now();
  select * into v_control from control;
  if v_control.clock_stepped_at is not null then
    -- The database's clock jumped and nobody has looked: no verdict by it.
    return;
  end if;
  if v_control.expanded_until <= v_now and v_control.expansion_override_until <= v_now then
    -- Nobody knows what holds now. Never answer "not held" from ignorance.
    return query select null::uuid, null::timestamptz, null::integer, null::integer, null::integer, 'expansion-stale'::text, v_now,
      null::text, null::text, null::integer, null::jsonb;
    return;
  end if;
  if v_capped then
    v_refused := refused_by_cap(p_ids, p_dues, v_first, v_last, v_now, v_systems);
  end if;

  -- Rows are locked before the decision, in statements of their own, and the decision touches no others: no row changes under it. If one did,
  -- PostgreSQL 18 would look at it again, and after that its pruning of partitions finds none for the rest of the statement: jobs were marked as
  -- busy by runs that then did not start (raced, 18.4). The due time in an array keeps the first statement itself from pruning row by row.
  with asked as materialized (
    select p.id, array[p.due_at] as dues from unnest(p_ids, p_dues) as p(id, due_at)
  )
  select coalesce(array_agg(r.id), '{}'), coalesce(array_agg(distinct r.job_id), '{}') into v_locked, v_jobs
  from asked
  cross join lateral (
    select one.id, one.job_id
    from run as one
    where one.id = asked.id and one.due_at = any (asked.dues) and one.due_at between v_first and v_last
      -- Written so that the index of what is queued does not fit: see above.
      and one.state || '' = 'queued' and one.ready_at <= v_now and one.due_at <= v_now
      and one.bucket = any (v_buckets)
    limit 1
    for update skip locked
  ) as r;
  -- Never wait here: the materialiser and finishing runs hold these rows for moments, and a skipped run is tried at the next tick.
  select coalesce(array_agg(free.id), '{}') into v_jobs
  from (
    select j.id from job as j where j.id = any (v_jobs) and j.running_run_id is null order by j.id for no key update of j skip locked
  ) as free;

  return query
  with candidate as materialized (
    select r.id, r.due_at, r.job_id, r.integration_id, r.trigger, r.passes_holds, p.position
    from unnest(p_ids, p_dues) with ordinality as p(id, due_at, position)
    cross join lateral (
      select one.id, one.due_at, one.job_id, one.integration_id, one.trigger, one.passes_holds
      from run as one
      where one.id = p.id and one.due_at = p.due_at and one.due_at between v_first and v_last
      limit 1
    ) as r
    where p.id = any (v_locked)
  ),
  judged as materialized (
    select c.*, look.held_by, look.observed_by, ahead.hold_id as waits_for, ahead.begins_at as waits_until
    from candidate as c
    left join job as j on j.id = c.job_id
    cross join lateral (
      select array_agg(h.hold_id order by h.hold_id) filter (where h.enforced and (c.passes_holds is null or h.hold_id <> all (c.passes_holds))) as held_by,
        array_agg(h.hold_id order by h.hold_id) filter (where not h.enforced) as observed_by
      from holds_at(c.integration_id, v_now, v_control.mode) as h
    ) as look
    left join lateral (
      select w.hold_id, w.begins_at
      from windows_not_finished_before(
        c.integration_id, c.passes_holds, guarded_lead_ms(c.trigger, j.continuous, j.finish_lead_ms), v_now, v_control.mode) as w
      order by w.begins_at, w.hold_id limit 1
    ) as ahead on look.held_by is null
  ),
  held as (
    update run as r
    set state = 'held', held_by = j.held_by, held_since = v_now, released_at = null, postponed_until = null
    from judged as j
    where r.id = j.id and r.due_at = j.due_at and r.due_at between v_first and v_last and j.held_by is not null
    returning r.id, r.due_at, r.job_id, r.integration_id, r.attempt, r.due_count, r.held_by
  ),
  postponed as (
    update run as r
    set ready_at = j.waits_until, postponed_by = j.waits_for, postponed_until = j.waits_until
    from judged as j
    where r.id = j.id and r.due_at = j.due_at and r.due_at between v_first and v_last and j.waits_for is not null
    returning r.id, r.due_at, r.job_id, r.integration_id, r.attempt, r.due_count, r.postponed_by, r.postponed_until
  ),
  -- At most one run of a job at a time, and never a later due time before an earlier one that still waits (a retry, say).
  first_of_job as (
    select distinct on (j.job_id) j.*
    from judged as j
    where j.job_id is not null and j.held_by is null and j.waits_for is null and j.id <> all (v_refused)
      and (j.trigger <> 'schedule' or not exists (
        select from run as earlier
        where earlier.job_id = j.job_id and earlier.trigger = 'schedule' and earlier.state in ('queued', 'held') and earlier.due_at < j.due_at
          and earlier.due_at between v_control.runs_open_since and v_last))
    order by j.job_id, j.due_at
  ),
  taken_job as (
    update job set running_run_id = f.id
    from (
      select one.job_id, one.id, one.due_at, one.observed_by
      from first_of_job as one
      where one.job_id = any (v_jobs)
      order by one.job_id
      limit p_limit
    ) as f
    where job.id = f.job_id
    returning f.id, f.due_at, f.observed_by
  ),
  -- Carries all that the update needs: a join back to judged would be a loop in a loop (80 ms of 90 for 500 runs, measured).
  admitted as (
    select t.id, t.due_at, t.observed_by from taken_job as t
    union all
    (select j.id, j.due_at, j.observed_by from judged as j where j.job_id is null and j.held_by is null and j.id <> all (v_refused)
     limit greatest(0, p_limit - (select count(*) from taken_job)))
  ),
  started as (
    update run as r
    set state = 'running', attempt = r.attempt + 1, worker_id = p_worker, started_at = v_now, finished_at = null,
      observed_by = a.observed_by, postponed_until = null, abort_requested_at = null, abort_reason = null
    from admitted as a
    where r.id = a.id and r.due_at = a.due_at and r.due_at between v_first and v_last
    returning r.id, r.due_at, r.job_id, r.integration_id, r.attempt, r.observed_by
  ),
  announced as (
    insert into event_inbox (at, kind, subject_kind, subject_key, integration_key, payload)
    select v_now, 'run.started', 'run', s.id::text, i.key,
      jsonb_build_object('job', j.key, 'dueAt', s.due_at, 'attempt', s.attempt, 'observedBy', s.observed_by)
    from started as s join integration as i on i.id = s.integration_id left join job as j on j.id = s.job_id
    union all
    select v_now, 'run.held', 'run', h.id::text, i.key,
      jsonb_build_object('job', j.key, 'dueAt', h.due_at, 'dueCount', h.due_count, 'heldBy', h.held_by)
    from held as h join integration as i on i.id = h.integration_id left join job as j on j.id = h.job_id
    union all
    select v_now, 'run.postponed', 'run', w.id::text, i.key,
      jsonb_build_object('job', j.key, 'dueAt', w.due_at, 'dueCount', w.due_count, 'reason', 'would-not-finish', 'hold', w.postponed_by,
        'until', w.postponed_until, 'leadMs', j.finish_lead_ms)
    from postponed as w join integration as i on i.id = w.integration_id left join job as j on j.id = w.job_id
  )
  select s.id, s.due_at, s.job_id, s.integration_id, s.attempt, 'running'::text, v_now, j.key, i.key, j.timeout_seconds, j.retry
  from started as s join integration as i on i.id = s.integration_id left join job as j on j.id = s.job_id
  union all
  select h.id, h.due_at, h.job_id, h.integration_id, h.attempt, 'held'::text, v_now, null, null, null, null from held as h
  union all
  select w.id, w.due_at, w.job_id, w.integration_id, w.attempt, 'postponed'::text, v_now, null, null, null, null from postponed as w;
end
$$;

-- As in 0012.
create or replace function refused_by_cap(p_ids uuid[], p_dues timestamptz[], p_first timestamptz, p_last timestamptz, p_now timestamptz, p_systems integer[])
returns uuid[]
language plpgsql volatile
as $$
declare
  v_room jsonb;
  v_granted uuid[] := '{}';
  v_run record;
  v_system integer;
  v_fits boolean;
  v_control control%rowtype;
begin
  select * into v_control from control;
  select coalesce(jsonb_object_agg(s.id, s.max_concurrent_runs - coalesce(busy.runs, 0)), '{}') into v_room
  from system as s
  left join (
    select route.system_id, count(*)::integer as runs
    from run as r join integration_system as route on route.integration_id = r.integration_id
    where r.state = 'running' and r.due_at >= v_control.runs_open_since
    group by route.system_id
  ) as busy on busy.system_id = s.id
  where s.max_concurrent_runs is not null;

  for v_run in
    with asked as materialized (
      select r.*, p.position
      from unnest(p_ids, p_dues) with ordinality as p(id, due_at, position)
      cross join lateral (
        select one.id, one.due_at, one.job_id, one.integration_id, one.trigger, one.passes_holds
        from run as one
        where one.id = p.id and one.due_at = p.due_at and one.due_at between p_first and p_last
          and one.state || '' = 'queued' and one.ready_at <= p_now
        limit 1
      ) as r
    ),
    -- Decided before the systems are looked up: as one join it was decided once for every row of the routes (72 ms of 80, 500 runs on 40 routes).
    ready as materialized (
      select r.id, r.integration_id, r.position
      from asked as r
      left join job as j on j.id = r.job_id
      where j.running_run_id is null
        -- What will not start anyway takes no room: a run behind an earlier one of its job, one that is held (in mode observe nothing is) or one
        -- that would not finish.
        and (r.trigger <> 'schedule' or not exists (
          select from run as earlier
          where earlier.job_id = r.job_id and earlier.trigger = 'schedule' and earlier.state in ('queued', 'held') and earlier.due_at < r.due_at
            and earlier.due_at between v_control.runs_open_since and p_last))
        and not exists (
          select from holds_at(r.integration_id, p_now, v_control.mode) as h
          where h.enforced and (r.passes_holds is null or h.hold_id <> all (r.passes_holds)))
        and not exists (
          select from windows_not_finished_before(
            r.integration_id, r.passes_holds, guarded_lead_ms(r.trigger, j.continuous, j.finish_lead_ms), p_now, v_control.mode) as w)
    )
    select ready.id, capped.systems
    from ready
    cross join lateral (
      select array_agg(route.system_id) as systems from integration_system as route
      where route.integration_id = ready.integration_id and v_room ? route.system_id::text
    ) as capped
    where capped.systems is not null
    order by ready.position
  loop
    v_fits := true;
    foreach v_system in array v_run.systems loop
      v_fits := v_fits and v_system = any (p_systems) and (v_room ->> v_system::text)::integer > 0;
    end loop;
    continue when not v_fits;
    v_granted := v_granted || v_run.id;
    foreach v_system in array v_run.systems loop
      v_room := jsonb_set(v_room, array[v_system::text], to_jsonb((v_room ->> v_system::text)::integer - 1));
    end loop;
  end loop;
  -- Whatever got no place is refused, also what seemed unable to start: the claim looks again in a later snapshot, in which the run before it
  -- may have ended.
  return array(
    with asked as materialized (
      select r.id, r.integration_id
      from unnest(p_ids, p_dues) as p(id, due_at)
      cross join lateral (
        select one.id, one.integration_id from run as one
        where one.id = p.id and one.due_at = p.due_at and one.due_at between p_first and p_last limit 1) as r
    )
    select r.id
    from asked as r
    where r.id <> all (v_granted)
      and (select bool_or(v_room ? route.system_id::text) from integration_system as route where route.integration_id = r.integration_id));
end
$$;

-- As in 0017.
create or replace function held_integrations() returns setof integer
language plpgsql stable
set plan_cache_mode = force_custom_plan
as $$
declare
  v_since timestamptz := (select runs_open_since from control);
begin
  return query
  with recursive day as (
    select coalesce(day.opens, '-infinity') as opens, coalesce(day.opens + interval '1 day', 'infinity') as closes
    from pg_inherits as i join pg_class as child on child.oid = i.inhrelid
    -- A partition of some other name may hold any day.
    cross join lateral (select to_date(substring(child.relname from '_(\d{8})$'), 'YYYYMMDD')::timestamp at time zone 'UTC' as opens) as day
    where i.inhparent = 'run'::regclass and (day.opens is null or day.opens + interval '1 day' > v_since)
  ),
  step as (
    select day.opens, day.closes, first.id
    from day cross join lateral (
      select r.integration_id as id from run as r
      where r.state = 'held' and r.due_at >= v_since and r.due_at >= day.opens and r.due_at < day.closes
      order by r.integration_id limit 1) as first
    union all
    select step.opens, step.closes, next.id
    from step cross join lateral (
      select r.integration_id as id from run as r
      where r.state = 'held' and r.integration_id > step.id and r.due_at >= v_since and r.due_at >= step.opens and r.due_at < step.closes
      order by r.integration_id limit 1) as next
  )
  select distinct step.id from step;
end
$$;

-- What is there already; a new database has no days.
select raise_runs_open_since() from generate_series(1, 20) where exists (select from pg_inherits where inhparent = 'run'::regclass);
