-- breaking: no
-- The UIDs of windows in calendar feeds end with it: two deployments never share one, and a deployment knows its own.
create table calendar_domain (
  only_row boolean primary key default true check (only_row),
  domain uuid not null default gen_random_uuid()
);
insert into calendar_domain default values;

-- A calendar of windows that calendar programs read by a secret address.
create table calendar_feed (
  id integer generated always as identity primary key,
  title text not null,
  -- { kind: all } or { kind: team | system | integration | tag, name }.
  scope jsonb not null,
  -- Of the address only its SHA-256 is kept; the first characters, so that a person can tell feeds apart.
  hash bytea not null unique,
  prefix text not null,
  created_by text not null,
  created_at timestamptz(3) not null default app_now(),
  last_read_at timestamptz(3),
  revoked_at timestamptz(3)
);

-- A calendar of somebody else's that is kept in step: its events are windows here.
create table calendar_import (
  id integer generated always as identity primary key,
  key text not null,
  title text not null,
  -- Addresses of calendars carry secrets: sealed as those of endpoints are. null: the calendar is handed in as a document.
  sealed_url jsonb,
  -- The part of the address that may be shown.
  origin text,
  every_seconds integer check (every_seconds between 60 and 604800),
  -- { scope, mode, owner, reason, timeZone, zoneMap, titleContains }
  settings jsonb not null,
  etag text,
  last_modified text,
  next_at timestamptz(3),
  attempted_at timestamptz(3),
  succeeded_at timestamptz(3),
  -- When the calendar was last read whole; an answer that it has not changed is a success, too.
  read_at timestamptz(3),
  failures integer not null default 0,
  problem text,
  -- What the last pass that read the calendar did.
  report jsonb,
  created_by text not null,
  created_at timestamptz(3) not null default app_now(),
  updated_at timestamptz(3) not null default app_now(),
  removed_at timestamptz(3)
);
create unique index calendar_import_key on calendar_import (key) where removed_at is null;
create index calendar_import_due on calendar_import (next_at) where removed_at is null;

-- Which window an event of an imported calendar is, by UID and RECURRENCE-ID ('' for the series itself).
create table calendar_import_event (
  import_id integer not null references calendar_import on delete cascade,
  uid text not null,
  recurrence_id text not null,
  window_id integer not null references maintenance_window on delete cascade,
  -- Of the window as the calendar asked for it; an event that still asks for the same is left alone, whatever a person changed about the window.
  fingerprint text not null,
  primary key (import_id, uid, recurrence_id)
);
create index calendar_import_event_window on calendar_import_event (window_id);
