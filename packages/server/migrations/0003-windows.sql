-- breaking: yes
create table maintenance_window (
  id integer generated always as identity primary key,
  key text not null,
  title text not null,
  kind text not null default 'maintenance',
  mode text not null default 'enforce' check (mode in ('enforce', 'observe')),
  -- { start, end | duration, timeZone, rrule, exdates, rdates, dstPolicy }: local times beside an IANA zone.
  series jsonb not null,
  -- { all } or { integrations, systems, tags } by key.
  scope jsonb not null,
  owner text not null,
  reason text not null,
  version integer not null default 1,
  -- Its occurrences are written ahead to this instant.
  expanded_until timestamptz(3) not null,
  created_by text not null,
  created_at timestamptz(3) not null default app_now(),
  updated_at timestamptz(3) not null default app_now(),
  cancelled_at timestamptz(3)
);
-- A key may be used again after its window was cancelled. The old row keeps its past; a new row starts without overrides and released occurrences.
create unique index maintenance_window_key on maintenance_window (key) where cancelled_at is null;
create index maintenance_window_any_key on maintenance_window (key, id);

-- One occurrence, named by its window and its local start as RECURRENCE-ID does.
create table occurrence (
  id bigint generated always as identity primary key,
  window_id integer not null references maintenance_window on delete cascade,
  local_start text not null,
  local_end text not null,
  starts_at timestamptz(3) not null,
  ends_at timestamptz(3) not null,
  notes text[] not null default '{}',
  window_version integer not null,
  zone_data_version text not null,
  started_at timestamptz(3),
  quiesced_at timestamptz(3),
  released_at timestamptz(3),
  closed_at timestamptz(3),
  cancelled_at timestamptz(3),
  unique (window_id, local_start)
);
create index occurrence_open on occurrence (starts_at) where closed_at is null and cancelled_at is null;
create index occurrence_range on occurrence (window_id, starts_at);

-- What an operator changed about one occurrence. It survives every edit of the series.
create table occurrence_override (
  window_id integer not null references maintenance_window on delete cascade,
  local_start text not null,
  cancelled boolean not null default false,
  starts_at timestamptz(3),
  ends_at timestamptz(3),
  actor text not null,
  reason text,
  at timestamptz(3) not null default app_now(),
  primary key (window_id, local_start)
);

-- A hold is a row with owner, reason, start and expiry; a run goes when no hold covers it. An occurrence is one kind of hold.
create table hold (
  id bigint generated always as identity primary key,
  kind text not null check (kind in ('window', 'manual', 'credentials', 'unready')),
  occurrence_id bigint unique references occurrence on delete cascade,
  mode text not null default 'enforce' check (mode in ('enforce', 'observe')),
  scope jsonb not null,
  owner text not null,
  reason text not null,
  begins_at timestamptz(3) not null,
  -- null: open-ended, until somebody lifts it.
  expires_at timestamptz(3),
  released_at timestamptz(3),
  released_by text,
  release_reason text,
  created_at timestamptz(3) not null default app_now(),
  check ((kind = 'window') = (occurrence_id is not null))
);
create index hold_open on hold (begins_at) where released_at is null;

-- Which integrations a hold covers, by which path. begins_at and mode are repeated here: the claim asks nothing but this table.
create table hold_member (
  hold_id bigint not null references hold on delete cascade,
  integration_id integer not null references integration on delete cascade,
  begins_at timestamptz(3) not null,
  mode text not null,
  path text not null,
  released_at timestamptz(3),
  primary key (hold_id, integration_id)
);
create index hold_member_active on hold_member (integration_id, begins_at) include (hold_id, mode) where released_at is null;
