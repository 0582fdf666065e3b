-- breaking: no
-- What monitors say is wrong: one row from the first word of it to its end.

create table alert (
  id bigint generated always as identity primary key,
  endpoint_id integer not null references endpoint on delete cascade,
  -- The same as long as the same thing is wrong with the same resource.
  fingerprint text not null,
  -- The monitor's own name of this occurrence.
  remote_id text not null,
  status text not null check (status in ('firing', 'resolved')),
  severity text not null check (severity in ('critical', 'major', 'minor', 'warning', 'info')),
  title text not null,
  resource_kind text not null,
  resource_name text not null,
  resource_parents text[] not null default '{}',
  labels jsonb not null default '{}',
  -- Why the monitor itself keeps quiet about it.
  suppressed_by text[] not null default '{}',
  acknowledged_by text,
  url text,
  raw jsonb,
  started_at timestamptz(3) not null,
  ended_at timestamptz(3),
  -- monitor: it said so. snapshot: it was absent from a complete list of what fires.
  ended_by text check (ended_by in ('monitor', 'snapshot')),
  first_seen_at timestamptz(3) not null,
  changed_at timestamptz(3) not null,
  check ((status = 'resolved') = (ended_at is not null) and (ended_at is null) = (ended_by is null)),
  check (ended_at >= started_at)
) with (fillfactor = 80);
-- One open episode of each.
create unique index alert_open on alert (endpoint_id, fingerprint) where status = 'firing';
create index alert_newest on alert (endpoint_id, fingerprint, id);
create index alert_firing on alert (id) where status = 'firing';
create index alert_ended on alert (ended_at) where ended_at is not null;
