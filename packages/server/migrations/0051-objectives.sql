-- breaking: no
-- What is promised of services, and what must not be exceeded: looked at every minute by whichever server comes first.

create table objective (
  id integer generated always as identity primary key,
  key text not null unique,
  title text not null,
  -- { kind: all | integration | system | team | tag, name }
  scope jsonb not null,
  indicator text not null check (indicator in ('availability', 'latency', 'share')),
  kpi text,
  -- Of latency: a sample that is not over it is a good one.
  limit_value double precision,
  target double precision not null check (target > 0 and target < 1),
  period_days integer not null check (period_days between 1 and 31),
  -- What was agreed about maintenance and hours; milliseconds.
  agreement jsonb not null,
  -- Whether spending too fast becomes an alert.
  alerts boolean not null default true,
  created_at timestamptz(3) not null default app_now(),
  updated_at timestamptz(3) not null default app_now(),
  -- How it stood at the last look.
  state text not null default 'unknown' check (state in ('unknown', 'met', 'at-risk', 'missed')),
  state_since timestamptz(3) not null default app_now(),
  -- null: at once.
  looked_at timestamptz(3),
  -- Why the last look could say nothing.
  problem text
);

-- Rules by which an objective's budget is spent too fast, while they are.
create table objective_burn (
  objective_id integer not null references objective on delete cascade,
  rule text not null check (rule in ('14.4x', '6x', '3x', '1x')),
  since timestamptz(3) not null,
  -- Where its alert was raised; null: no endpoint stands for it, or it raises none.
  endpoint_id integer references endpoint on delete set null,
  primary key (objective_id, rule)
);

create table threshold (
  id integer generated always as identity primary key,
  key text not null unique,
  title text not null,
  scope jsonb not null,
  kpi text not null,
  comparison text not null check (comparison in ('above', 'below')),
  value double precision not null,
  clear_value double precision not null,
  step text not null check (step in ('minute', 'hour')),
  rule text not null check (rule in ('three-in-a-row', 'two-of-three')),
  severity text not null check (severity in ('critical', 'major', 'minor', 'warning', 'info')),
  created_at timestamptz(3) not null default app_now(),
  updated_at timestamptz(3) not null default app_now(),
  looked_at timestamptz(3),
  problem text
);

-- How a threshold stands at each integration, and through which instant that was read.
create table threshold_state (
  threshold_id integer not null references threshold on delete cascade,
  integration_id integer not null references integration on delete cascade,
  through_at timestamptz(3) not null,
  -- { brokenSince, recent: [{ at, isBad }] }, epoch milliseconds
  state jsonb not null,
  endpoint_id integer references endpoint on delete set null,
  primary key (threshold_id, integration_id)
);
create index threshold_state_integration on threshold_state (integration_id);

-- kpi: this server says so, by figures of integrations.
alter table alert drop constraint alert_origin_check;
alter table alert add constraint alert_origin_check check (origin in ('monitor', 'check', 'kpi'));
alter table alert drop constraint alert_ended_by_check;
alter table alert add constraint alert_ended_by_check check (ended_by in ('monitor', 'snapshot', 'check', 'kpi'));
