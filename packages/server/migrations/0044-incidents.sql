-- breaking: no
-- What alerts come to: incidents, with everything that was done about them.

-- monitor: a monitor said so. check: calls of this server to the endpoint fail.
alter table alert add column origin text not null default 'monitor' check (origin in ('monitor', 'check'));
alter table alert drop constraint alert_ended_by_check;
alter table alert add constraint alert_ended_by_check check (ended_by in ('monitor', 'snapshot', 'check'));

-- Incidents of one cause that come again and again.
create table problem (
  id integer generated always as identity primary key,
  title text not null,
  state text not null default 'open' check (state in ('open', 'known-error', 'closed')),
  -- What is wrong again and again, and the system that it belongs to.
  root_node text not null,
  system_id integer references system on delete set null,
  cause text,
  workaround text,
  opened_at timestamptz(3) not null,
  closed_at timestamptz(3),
  changed_at timestamptz(3) not null,
  check ((state = 'closed') = (closed_at is not null))
);
create unique index problem_open on problem (root_node) where closed_at is null;

create table incident (
  id bigint generated always as identity primary key,
  state text not null check (state in ('open', 'acknowledged', 'in-progress', 'on-hold', 'resolved', 'closed', 'merged')),
  severity text not null check (severity in ('critical', 'major', 'minor', 'warning', 'info')),
  title text not null,
  -- The probable cause: a system by its key, or a resource as endpoint/name.
  root_node text not null,
  root_alert_id bigint references alert on delete set null,
  -- The system that it belongs to: that of its root, or of the monitor that speaks of the root.
  system_id integer references system on delete set null,
  -- The first of its alerts: two servers that decide the same make one incident.
  anchor_alert_id bigint not null unique,
  -- Raised in the middle of a storm.
  quiet boolean not null default false,
  owner_team text,
  -- Whoever works on it, by name.
  assignee text,
  -- A transfer that waits for its acceptance.
  offered_to text,
  offered_by text,
  offer_reason text,
  offered_at timestamptz(3),
  hold_reason text,
  started_at timestamptz(3) not null,
  opened_at timestamptz(3) not null,
  acknowledged_at timestamptz(3),
  resolved_at timestamptz(3),
  closed_at timestamptz(3),
  reopened integer not null default 0,
  merged_into bigint references incident on delete set null,
  problem_id integer references problem on delete set null,
  -- What its teams were told last.
  told_severity text,
  told_over boolean,
  told_at timestamptz(3),
  changed_at timestamptz(3) not null,
  check ((offered_to is null) = (offered_at is null)),
  check ((told_severity is null) = (told_at is null) and (told_severity is null) = (told_over is null)),
  check (state not in ('resolved', 'closed') or resolved_at is not null)
) with (fillfactor = 80);
create index incident_live on incident (id) where state in ('open', 'acknowledged', 'in-progress', 'on-hold', 'resolved');
create index incident_root on incident (root_node, opened_at);
create index incident_system on incident (system_id);
create index incident_problem on incident (problem_id) where problem_id is not null;
create index incident_merged on incident (merged_into) where merged_into is not null;

-- How an alert stands: one row for each, from its first word. Apart from the alert itself, so that whoever writes what monitors say and whoever
-- decides what it means never wait for each other's rows.
create table alert_standing (
  alert_id bigint primary key references alert on delete cascade,
  incident_id bigint references incident on delete set null,
  joined_at timestamptz(3),
  -- People put it there: correlation leaves it alone.
  placed_by text,
  -- It was looked at first, and it was first allowed to belong to an incident (its windows had ended).
  considered_at timestamptz(3),
  eligible_at timestamptz(3),
  flapping boolean not null default false,
  muted boolean not null default false,
  -- Nothing about it can change any more.
  settled_at timestamptz(3)
) with (fillfactor = 70);
create index alert_unsettled on alert_standing (alert_id) where settled_at is null;
create index alert_of_incident on alert_standing (incident_id, alert_id) where incident_id is not null;

-- Why an alert was kept quiet, or marked: which rule, by which path, in words, and from when until when.
create table alert_reason (
  id bigint generated always as identity primary key,
  alert_id bigint not null references alert on delete cascade,
  kind text not null check (kind in ('informational', 'monitor', 'duplicate', 'flapping', 'window', 'dependency', 'rule')),
  rule text not null,
  path text not null,
  reason text not null,
  mutes boolean not null,
  until timestamptz(3),
  began_at timestamptz(3) not null,
  ended_at timestamptz(3)
);
create unique index alert_reason_open on alert_reason (alert_id, kind, rule) where ended_at is null;
create index alert_reason_alert on alert_reason (alert_id, id);

-- What was done about an incident, in words: its own part of the timeline.
create table incident_entry (
  id bigint generated always as identity primary key,
  incident_id bigint not null references incident on delete cascade,
  at timestamptz(3) not null,
  -- opened, state, severity, root, note, offered, accepted, declined, assigned, merged, split, problem, told
  kind text not null,
  actor text not null,
  text text not null,
  data jsonb not null default '{}'
);
create index incident_entry_incident on incident_entry (incident_id, at, id);

-- What fires today is looked at from now on; what ended long ago is history.
insert into alert_standing (alert_id) select id from alert where status = 'firing';
insert into alert_standing (alert_id, considered_at, settled_at) select id, app_now(), app_now() from alert where status <> 'firing';
