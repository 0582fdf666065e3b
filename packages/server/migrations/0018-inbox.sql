-- breaking: no
-- Pushed work: records that somebody hands in wait here, durably and in order by key, until a claimed run of the push job delivers them.

alter table job
  -- It delivers what is pushed for its integration: one job of each, as the workspace is checked.
  add column push boolean not null default false;
create index job_push on job (integration_id) where push;

-- One row an integration, locked by whoever accepts or settles: ids are in the order of the commits, and the sums are always right.
create table inbox (
  integration_id integer primary key references integration on delete cascade,
  -- Of all time; what is being delivered at this moment still waits.
  accepted bigint not null default 0,
  waiting_records integer not null default 0 check (waiting_records >= 0),
  waiting_bytes bigint not null default 0 check (waiting_bytes >= 0),
  done bigint not null default 0,
  dead bigint not null default 0,
  -- Since when requests are refused for want of room.
  full_since timestamptz(3),
  -- The run that was queued last for what waits here.
  run_id uuid,
  run_due_at timestamptz(3),
  check (accepted = waiting_records + done + dead)
) with (fillfactor = 50);
create index inbox_waiting on inbox (integration_id) where waiting_records > 0;

create table inbox_record (
  id bigint generated always as identity primary key,
  integration_id integer not null references integration on delete cascade,
  stream text not null,
  record_key text not null,
  -- The sender's name of this change: again the same is no new record.
  delivery_id text,
  op text not null check (op in ('upsert', 'delete')),
  version text,
  -- As it came (json, not jsonb: nothing in it is changed). Gone when it is settled: what was delivered is not kept twice.
  record json,
  bytes integer not null,
  accepted_at timestamptz(3) not null,
  accepted_by text not null,
  -- The run that took it last: while that is running, it is being delivered.
  run_id uuid,
  -- Tries that count against it, and before when it is not tried again; its key waits with it.
  attempts integer not null default 0,
  next_try_at timestamptz(3),
  settled_at timestamptz(3),
  outcome text check (outcome in ('done', 'dead')),
  check ((settled_at is null) = (outcome is null) and (settled_at is null) = (record is not null))
) with (fillfactor = 80);
create unique index inbox_record_delivery on inbox_record (integration_id, stream, delivery_id) where delivery_id is not null;
create index inbox_record_waiting on inbox_record (integration_id, id) where settled_at is null;
-- The few whose keys wait with them.
create index inbox_record_put_off on inbox_record (integration_id, stream, record_key, id) where settled_at is null and next_try_at is not null;
create index inbox_record_settled on inbox_record (settled_at) where settled_at is not null;

-- What waited for a hold and was let go, by the run that took it: for the report of the window.
create table inbox_release (
  hold_id bigint not null references hold on delete cascade,
  integration_id integer not null references integration on delete cascade,
  run_id uuid not null,
  records integer not null,
  at timestamptz(3) not null,
  primary key (hold_id, integration_id, run_id)
);

-- An operator said for this run that what the source no longer has may be deleted, however much it is.
alter table run add column confirms_deletions boolean not null default false;

-- The run that shall deliver it once more; null: nobody asked, or that run has been at it.
alter table dead_letter add column replay_run_id uuid;
create index dead_letter_replay on dead_letter (replay_run_id, id) where replay_run_id is not null;
