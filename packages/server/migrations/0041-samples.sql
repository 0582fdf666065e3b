-- breaking: no
-- What is measured of integrations: samples, and what they come to by minute, hour and day.

-- One metric of one integration. Its number is never given again.
create table kpi_series (
  id integer generated always as identity primary key,
  integration_id integer not null references integration on delete cascade,
  metric text not null,
  unique (integration_id, metric)
);

-- Kept for days. Without a foreign key, which would be asked for every row: samples of a series that is gone go with their day.
create table kpi_sample (
  series_id integer not null,
  -- The slot of the value in the histogram (core/kpis/histogram.ts): PostgreSQL counts slots and computes none.
  slot smallint not null,
  -- 0: its time fits. 1: it came late. 2: its sender's clock was ahead.
  mark smallint not null default 0,
  at timestamptz(3) not null,
  value double precision not null,
  ok boolean not null,
  -- Tells samples of one series and one millisecond apart; the same sample sent twice is one.
  key text not null default '',
  primary key (series_id, at, key)
) partition by range (at);

-- Sums of a minute, hour or day, always computed from what is below and never added to: the same whatever order samples arrived in.
create table kpi_minute (
  series_id integer not null references kpi_series on delete cascade,
  at timestamptz(3) not null,
  samples bigint not null,
  good bigint not null,
  -- Late ones, and those from ahead.
  marked bigint not null,
  -- In millionths, as whole numbers: a sum of floating-point numbers depends on their order.
  sum_millionths numeric not null,
  min_value double precision not null,
  max_value double precision not null,
  histogram bytea not null,
  primary key (series_id, at)
);
create table kpi_hour (
  like kpi_minute including all,
  -- Of checks: results that say the same one after the other, [[ok, first, last, count], ...], instants in epoch milliseconds.
  evidence jsonb,
  foreign key (series_id) references kpi_series on delete cascade
);
create table kpi_day (like kpi_hour including all, foreign key (series_id) references kpi_series on delete cascade);
create index kpi_minute_at on kpi_minute (at);
create index kpi_hour_at on kpi_hour (at);

-- Stretches of at most an hour whose samples changed since they were summed up. Only appended to: who writes samples waits for nobody who sums up.
create table kpi_dirty (
  id bigint generated always as identity primary key,
  series_id integer not null references kpi_series on delete cascade,
  first_at timestamptz(3) not null,
  last_at timestamptz(3) not null,
  check (first_at <= last_at)
);

create table kpi_progress (
  only_row boolean primary key default true check (only_row),
  -- Samples before this instant may be gone: nothing before it is summed up again.
  samples_kept_from timestamptz(3) not null default '-infinity',
  -- The last event of which samples were made.
  followed_position bigint not null default 0
);
insert into kpi_progress default values;

-- One server at a time sums up: of two, the one that looked first could write last.
create function lock_class_kpi_rollup() returns integer language sql immutable parallel safe as $$ select 71041 $$;
