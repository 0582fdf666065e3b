-- breaking: no
-- For how long what is measured is kept, by metric and class of data. The line of '' is that of every metric without a line of its own.
create table kpi_retention (
  metric text primary key,
  -- Days; null: as is said of every metric, and there as is usual.
  sample_days integer check (sample_days > 0),
  minute_days integer check (minute_days > 0),
  hour_days integer check (hour_days > 0),
  day_days integer check (day_days > 0),
  changed_at timestamptz(3) not null default app_now(),
  -- Samples before this instant may be gone: none is taken there any more, and nothing before it is summed up again. Never earlier than it was.
  samples_kept_from timestamptz(3) not null default '-infinity',
  -- What was before is gone: nobody looks there again.
  samples_gone_to timestamptz(3) not null default '-infinity',
  minutes_gone_to timestamptz(3) not null default '-infinity',
  hours_gone_to timestamptz(3) not null default '-infinity',
  days_gone_to timestamptz(3) not null default '-infinity'
);
insert into kpi_retention (metric, changed_at) values ('', '-infinity');
create index kpi_day_at on kpi_day (at);

-- From when on samples of a metric are kept one by one: what went with its day, and what went by the metric's own time.
create function kpi_kept_from(p_metric text) returns timestamptz language sql stable as $$
  select greatest(
    (select samples_kept_from from kpi_progress),
    coalesce((select samples_kept_from from kpi_retention where metric = p_metric), (select samples_kept_from from kpi_retention where metric = '')))
$$;

-- Shared by those who write samples, alone for whoever decides from when on they are kept: none is written where it would be thrown away before it was
-- summed up.
create function lock_class_kpi_kept() returns integer language sql immutable parallel safe as $$ select 71058 $$;

-- Whether samples of these series, from these instants on, are kept. Holds that still for the rest of the transaction.
create function kpi_hold_kept(p_series integer[], p_firsts float8[]) returns boolean
language plpgsql
as $$
begin
  perform pg_advisory_xact_lock_shared(lock_class_kpi_kept(), 0);
  -- In a snapshot that is taken now.
  return not exists (
    select from (
      select s.metric, min(t.first_ms) as first_ms from unnest(p_series, p_firsts) as t(series_id, first_ms) join kpi_series as s on s.id = t.series_id
      group by s.metric) as m
    where to_timestamp(m.first_ms / 1000) < kpi_kept_from(m.metric));
end
$$;
