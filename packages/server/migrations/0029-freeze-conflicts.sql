-- breaking: no
-- Where an occurrence of a change lies in a freeze, and whose word that is: somebody overrode the freeze, or nobody was asked, because other zone data or
-- a calendar moved it there. Whether they still meet is asked of their occurrences; the instants here are of the time of writing, for what is not
-- written ahead yet.
create table freeze_conflict (
  window_id integer not null references maintenance_window on delete cascade,
  local_start text not null,
  starts_at timestamptz(3) not null,
  ends_at timestamptz(3) not null,
  freeze_id integer not null references maintenance_window on delete cascade,
  freeze_local_start text not null,
  freeze_starts_at timestamptz(3) not null,
  freeze_ends_at timestamptz(3) not null,
  -- null: somebody planned it there.
  cause text check (cause in ('calendar', 'zone-data')),
  noticed_at timestamptz(3) not null default app_now(),
  -- Null: nobody has decided on it yet.
  accepted_at timestamptz(3),
  accepted_by text,
  accepted_reason text,
  primary key (window_id, local_start, freeze_id, freeze_local_start),
  check (cause is not null or accepted_at is not null)
);
create index freeze_conflict_freeze on freeze_conflict (freeze_id);
create index freeze_conflict_open on freeze_conflict (window_id) where accepted_at is null;
