-- breaking: no
-- Fields that flow both ways, the connectors of a run, and the version of an endpoint's configuration.

-- One record of a stream whose fields flow both ways, as far as it is known: its two-way fields by their names at the target. Values stand here as they
-- are, because they are merged; nobody reads them from here.
create table sync_record (
  integration_id integer not null references integration on delete cascade,
  stream text not null,
  key text not null,
  -- What both sides last had in common.
  agreed jsonb not null default '{}',
  -- What each side held when it was last read or written; null: the record is not there.
  source jsonb,
  target jsonb,
  -- When a side last changed one of these fields, as far as it says so.
  source_at timestamptz(3),
  target_at timestamptz(3),
  source_version text,
  target_version text,
  -- Written before a write and removed with its confirmation: what comes back of it is no change of anybody's.
  sent_to_source jsonb not null default '{}',
  sent_to_target jsonb not null default '{}',
  -- Of the other fields that were delivered last, hashed.
  delivered text,
  -- How often it was settled; names one write among those of equal content.
  settled integer not null default 0,
  -- Something may have to flow.
  is_due boolean not null default false,
  primary key (integration_id, stream, key)
);
create index sync_record_due on sync_record (integration_id, stream, key) where is_due;

-- Values of which one had to give way, or would have: every one that was written over by a rule stands here.
create table sync_conflict (
  id bigint generated always as identity primary key,
  integration_id integer not null references integration on delete cascade,
  stream text not null,
  record_key text not null,
  -- Empty: the record as a whole.
  field text not null,
  -- changed: both sides changed it. refused: the side that was to be written refuses it. deleted: the source deleted what the target has changed.
  kind text not null check (kind in ('changed', 'refused', 'deleted')),
  agreed jsonb,
  source jsonb,
  target jsonb,
  rule text not null,
  message text,
  -- open: a person decides. decided: somebody did, and the next run carries it out. settled: a rule decided, or it is past.
  state text not null check (state in ('open', 'decided', 'settled')),
  winner text check (winner in ('source', 'target')),
  run_id uuid,
  decided_by text,
  reason text,
  at timestamptz(3) not null default app_now(),
  decided_at timestamptz(3)
);
create unique index sync_conflict_open on sync_conflict (integration_id, stream, record_key, field) where state = 'open';
create index sync_conflict_integration on sync_conflict (integration_id, id);
create index sync_conflict_state on sync_conflict (state, id);

-- How far the target was read for what flows back, and for which sides and fields that is true.
alter table stream_state add column target_cursor jsonb;
alter table stream_state add column two_way jsonb;

alter table record_page drop constraint record_page_origin_check;
alter table record_page add constraint record_page_origin_check check (origin in ('read', 'missing', 'push', 'replay', 'back'));

-- The connectors that a run's last attempt worked with: { source: { connector, version }, target: … }.
alter table run add column connectors jsonb;

-- The configVersion of the connector that the configuration was written for; null: nobody has looked since it was saved.
alter table endpoint add column config_version integer check (config_version >= 1);
