-- breaking: no
-- Who watches a system, and under which names. Windows over the system are announced there.
create table system_monitor (
  system_id integer not null references system on delete cascade,
  endpoint_id integer not null references endpoint on delete cascade,
  resources text[] not null check (cardinality(resources) > 0),
  suppress text not null check (suppress in ('notifications', 'checks')),
  primary key (system_id, endpoint_id)
);
create index system_monitor_endpoint on system_monitor (endpoint_id);

-- What this deployment's downtimes begin with at monitors: another one that uses the same monitor must not take them for its own.
create table monitor_identity (
  one boolean primary key default true check (one),
  name text not null default left(replace(gen_random_uuid()::text, '-', ''), 12)
);
insert into monitor_identity default values;

-- One occurrence at one monitor. The row is there before the monitor is told, and until it is known that nothing is left there.
create table monitor_announcement (
  id bigint generated always as identity primary key,
  endpoint_id integer not null references endpoint on delete cascade,
  window_id integer not null references maintenance_window on delete cascade,
  local_start text not null,
  -- What should be there, as of the last decision.
  starts_at timestamptz(3) not null,
  ends_at timestamptz(3) not null,
  resources text[] not null,
  title text not null,
  suppress text not null check (suppress in ('notifications', 'checks')),
  begun_at timestamptz(3) not null default app_now(),
  -- It was seen or made there exactly so; null: nobody knows.
  announced_at timestamptz(3),
  -- The monitor's own names of it.
  remote_ids text[] not null default '{}',
  -- How it looked there before the last repair: what looks the same afterwards cannot be said more exactly there.
  before_repair text,
  withdrawn_at timestamptz(3),
  last_error text,
  unique (endpoint_id, window_id, local_start)
);
create index monitor_announcement_window on monitor_announcement (window_id);
create index monitor_announcement_open on monitor_announcement (endpoint_id) where withdrawn_at is null;

-- The looks at one monitor. Whoever looks holds it for a while, so that two servers do not tell it the same twice.
create table monitor_look (
  endpoint_id integer primary key references endpoint on delete cascade,
  holder uuid,
  held_until timestamptz(3),
  -- A digest of what should be there when it was looked at last; with another one a look is due at once.
  digest text not null,
  next_at timestamptz(3) not null,
  looked_at timestamptz(3),
  failures integer not null default 0,
  failing_since timestamptz(3),
  last_error text
);

-- What others have announced at monitors, as of the last look.
create table remote_downtime (
  id bigint generated always as identity primary key,
  endpoint_id integer not null references endpoint on delete cascade,
  remote_id text not null,
  starts_at timestamptz(3) not null,
  ends_at timestamptz(3) not null,
  resources text[] not null,
  title text not null,
  author text,
  first_seen_at timestamptz(3) not null default app_now(),
  unique (endpoint_id, remote_id)
);
