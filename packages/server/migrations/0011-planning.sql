-- breaking: yes
-- Older servers would hold what a freeze leaves alone, hold windows that nobody has approved, and not know business days.
alter table maintenance_window
  add constraint maintenance_window_kind check (kind in ('maintenance', 'freeze', 'change')),
  -- null: none is needed. { state, requestedBy, requestedAt, needed, given, ... }; only an approved window gets holds.
  add column approval jsonb check (approval ->> 'state' in ('pending', 'approved', 'rejected')),
  -- "This and following": the window that this one went on from.
  add column split_from integer references maintenance_window on delete set null;

-- How often it was told that the occurrence is not approved: 1 a day before, 2 an hour before, 3 at its start.
alter table occurrence add column unapproved_told smallint not null default 0;

-- One edited occurrence: its local times, of which starts_at and ends_at are the instants in the zone data of the moment.
alter table occurrence_override
  add column moved_start text,
  add column moved_end text;

-- What of a covered integration's work is held. Copied from the window's kind, as mode and scope are: what has begun stays as it is.
alter table hold add column coverage text not null default 'everything' check (coverage in ('everything', 'writes'));

create table holiday_calendar (
  key text primary key,
  title text not null,
  -- Local dates, ascending.
  dates text[] not null default '{}'
);

-- Which windows need whose approval: the entry of the workspace.
create table approval_policy (
  key text primary key,
  policy jsonb not null
);
