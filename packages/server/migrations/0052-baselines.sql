-- breaking: no
-- What is usual of the figures of integrations, and what was not.

-- What a baseline knows (core/kpis/baseline.ts), and through which instant it has read. About 100 KB before compression.
create table kpi_baseline (
  integration_id integer not null references integration on delete cascade,
  kpi text not null,
  through_at timestamptz(3) not null,
  state text not null,
  primary key (integration_id, kpi)
);

-- Between which values a figure was usual, as it was known at the beginning of the hour.
create table kpi_band (
  integration_id integer not null references integration on delete cascade,
  kpi text not null,
  at timestamptz(3) not null,
  low double precision not null,
  high double precision not null,
  expected double precision not null,
  primary key (integration_id, kpi, at)
);
create index kpi_band_at on kpi_band (at);

-- Which anomalies raise alerts; none without a rule.
create table anomaly_rule (
  id integer generated always as identity primary key,
  key text not null unique,
  title text not null,
  scope jsonb not null,
  -- null: every figure.
  kpi text,
  severity text not null check (severity in ('critical', 'major', 'minor', 'warning', 'info')),
  -- Only anomalies of this score or more.
  least_score double precision not null,
  created_at timestamptz(3) not null default app_now(),
  updated_at timestamptz(3) not null default app_now()
);

create table anomaly (
  id bigint generated always as identity primary key,
  integration_id integer not null references integration on delete cascade,
  kpi text not null,
  -- The beginning of its five minutes.
  at timestamptz(3) not null,
  value double precision not null,
  score double precision not null,
  -- The view that was furthest out of its band, what it saw, and the band.
  view text not null check (view in ('value', 'short-median', 'activity', 'residual')),
  seen double precision not null,
  low double precision not null,
  high double precision not null,
  expected double precision not null,
  new_extreme boolean not null,
  explanation text not null,
  found_at timestamptz(3) not null,
  -- Where its alert fires; null: it raised none, or that is over.
  alert_endpoint_id integer references endpoint on delete set null,
  unique (integration_id, kpi, at)
);
create index anomaly_at on anomaly (at);
create index anomaly_alert on anomaly (integration_id, kpi) where alert_endpoint_id is not null;

-- One server at a time learns.
create function lock_class_kpi_baseline() returns integer language sql immutable parallel safe as $$ select 71042 $$;
