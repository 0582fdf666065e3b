-- breaking: yes
-- The claim: the decision whether a run may start is part of taking it. ONE autocommit call, so that a frozen client cannot keep the locks.
--
-- 1. Wait for the shared dispatch lock of all, holding nothing; then try the buckets, ascending, never waiting.
-- 2. After the locks, read the clock: that instant is the verdict's time and the run's started_at.
-- 3. In a later statement (a fresh snapshot, hence READ COMMITTED) turn queued runs into running or held.
-- A writer that opens, moves or widens a hold takes the same locks exclusively before it commits; so a run that starts after the
-- writer's commit has seen the hold.
create function claim_runs(p_worker uuid, p_ids uuid[], p_dues timestamptz[], p_limit integer)
returns table (run_id uuid, run_due_at timestamptz, run_job_id integer, run_integration_id integer, run_attempt integer, verdict text, at timestamptz,
  job_key text, integration_key text, timeout_seconds integer, retry jsonb)
language plpgsql volatile
set lock_timeout = '250ms'
set enable_seqscan = off
-- A scan that is "off" costs ten thousand millions, and PostgreSQL would compile the plan for a minute's work (60 ms a call, measured).
set jit = off
set plan_cache_mode = force_generic_plan
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
      join run as r on r.id = p.id and r.due_at = p.due_at
      where r.due_at between v_first and v_last
      order by r.bucket
      offset 0
    ) as wanted
  ) as tried;

  v_capped := exists (select from system where max_concurrent_runs is not null);
  if v_capped then
    -- After shared(all): before it two claims deadlock with a writer between them. Skipped, not waited for: a command that changes a system's
    -- row holds it until its commit, and only the runs on that system have to wait for the next try.
    select coalesce(array_agg(locked.id), '{}') into v_systems
    from (
      select s.id from system as s
      where s.max_concurrent_runs is not null
        and s.id in (
          select route.system_id
          from unnest(p_ids, p_dues) as p(id, due_at)
          join run as r on r.id = p.id and r.due_at = p.due_at
          join integration_system as route on route.integration_id = r.integration_id
          where r.due_at between v_first and v_last
        )
      order by s.id
      for no key update of s skip locked
    ) as locked;
  end if;

  v_now := app_now();
  select * into v_control from control;
  if v_control.expanded_until <= v_now and v_control.expansion_override_until <= v_now then
    -- Nobody knows what holds now. Never answer "not held" from ignorance.
    return query select null::uuid, null::timestamptz, null::integer, null::integer, null::integer, 'expansion-stale'::text, v_now,
      null::text, null::text, null::integer, null::jsonb;
    return;
  end if;
  if v_capped then
    v_refused := refused_by_cap(p_ids, p_dues, v_first, v_last, v_now, v_systems);
  end if;

  return query
  with candidate as materialized (
    select r.id, r.due_at, r.job_id, r.integration_id, r.trigger, r.passes_holds, p.position
    from unnest(p_ids, p_dues) with ordinality as p(id, due_at, position)
    join run as r on r.id = p.id and r.due_at = p.due_at
    where r.due_at between v_first and v_last
      and r.state = 'queued' and r.ready_at <= v_now and r.due_at <= v_now
      and r.bucket = any (v_buckets)
    for update of r skip locked
  ),
  judged as materialized (
    select c.*,
      (select array_agg(m.hold_id order by m.hold_id) from hold_member as m
       where m.integration_id = c.integration_id and m.begins_at <= v_now and m.released_at is null
         and m.mode = 'enforce' and v_control.mode = 'enforce'
         and (c.passes_holds is null or m.hold_id <> all (c.passes_holds))) as held_by,
      (select array_agg(m.hold_id order by m.hold_id) from hold_member as m
       where m.integration_id = c.integration_id and m.begins_at <= v_now and m.released_at is null
         and (m.mode = 'observe' or v_control.mode = 'observe')) as observed_by
    from candidate as c
  ),
  held as (
    update run as r
    set state = 'held', held_by = j.held_by, held_since = v_now, released_at = null
    from judged as j
    where r.id = j.id and r.due_at = j.due_at and r.due_at between v_first and v_last and j.held_by is not null
    returning r.id, r.due_at, r.job_id, r.integration_id, r.attempt, r.due_count, r.held_by
  ),
  -- At most one run of a job at a time, and never a later due time before an earlier one that still waits (a retry, say).
  first_of_job as (
    select distinct on (j.job_id) j.*
    from judged as j
    where j.job_id is not null and j.held_by is null and j.id <> all (v_refused)
      and (j.trigger <> 'schedule' or not exists (
        select from run as earlier
        where earlier.job_id = j.job_id and earlier.trigger = 'schedule' and earlier.state in ('queued', 'held') and earlier.due_at < j.due_at))
    order by j.job_id, j.due_at
  ),
  taken_job as (
    update job set running_run_id = f.id
    from (
      -- Never wait here: the materialiser and finishing runs hold these rows for moments, and a skipped run is tried at the next tick.
      select free.id as job_id, f.id, f.due_at, f.observed_by
      from first_of_job as f
      join job as free on free.id = f.job_id and free.running_run_id is null
      order by free.id
      limit p_limit
      for no key update of free skip locked
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
      observed_by = a.observed_by
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
  )
  select s.id, s.due_at, s.job_id, s.integration_id, s.attempt, 'running'::text, v_now, j.key, i.key, j.timeout_seconds, j.retry
  from started as s join integration as i on i.id = s.integration_id left join job as j on j.id = s.job_id
  union all
  select h.id, h.due_at, h.job_id, h.integration_id, h.attempt, 'held'::text, v_now, null, null, null, null from held as h;
end
$$;

-- Which of these runs must wait because a system they touch already carries its cap of running runs, or because its row (p_systems: those that
-- are ours) is in somebody else's hands. Called under the systems' row locks.
create function refused_by_cap(p_ids uuid[], p_dues timestamptz[], p_first timestamptz, p_last timestamptz, p_now timestamptz, p_systems integer[])
returns uuid[]
language plpgsql volatile
as $$
declare
  v_room jsonb;
  v_granted uuid[] := '{}';
  v_run record;
  v_system integer;
  v_fits boolean;
begin
  select coalesce(jsonb_object_agg(s.id, s.max_concurrent_runs - coalesce(busy.runs, 0)), '{}') into v_room
  from system as s
  left join lateral (
    select count(*)::integer as runs
    from run as r join integration_system as route on route.integration_id = r.integration_id
    where r.state = 'running' and route.system_id = s.id
  ) as busy on true
  where s.max_concurrent_runs is not null;

  for v_run in
    select r.id, array_agg(route.system_id) as systems, min(p.position) as position
    from unnest(p_ids, p_dues) with ordinality as p(id, due_at, position)
    join run as r on r.id = p.id and r.due_at = p.due_at
    join integration_system as route on route.integration_id = r.integration_id
    left join job as j on j.id = r.job_id
    where r.due_at between p_first and p_last and r.state = 'queued' and r.ready_at <= p_now
      and j.running_run_id is null and v_room ? route.system_id::text
      -- What will not start anyway takes no room: a run behind an earlier one of its job, or a held one (in mode observe nothing is held).
      and (r.trigger <> 'schedule' or not exists (
        select from run as earlier
        where earlier.job_id = r.job_id and earlier.trigger = 'schedule' and earlier.state in ('queued', 'held') and earlier.due_at < r.due_at))
      and not exists (
        select from hold_member as m cross join control as c
        where m.integration_id = r.integration_id and m.begins_at <= p_now and m.released_at is null and m.mode = 'enforce' and c.mode = 'enforce'
          and (r.passes_holds is null or m.hold_id <> all (r.passes_holds)))
    group by r.id
    order by 3
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
    select distinct r.id
    from unnest(p_ids, p_dues) as p(id, due_at)
    join run as r on r.id = p.id and r.due_at = p.due_at
    join integration_system as route on route.integration_id = r.integration_id
    where r.due_at between p_first and p_last and v_room ? route.system_id::text and r.id <> all (v_granted));
end
$$;
