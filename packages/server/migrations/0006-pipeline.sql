-- breaking: yes
-- How far a stream was read. Written in one transaction with the results of the page it belongs to.
create table stream_state (
  integration_id integer not null references integration on delete cascade,
  stream text not null,
  cursor jsonb,
  run_id uuid,
  updated_at timestamptz(3) not null default app_now(),
  primary key (integration_id, stream)
);

-- The keys last seen in a source without tombstones; what is missing in the next snapshot was deleted there.
create table stream_key (
  integration_id integer not null references integration on delete cascade,
  stream text not null,
  key text not null,
  seen_run_id uuid not null,
  primary key (integration_id, stream, key)
);

create table dead_letter (
  id bigint generated always as identity primary key,
  integration_id integer not null references integration on delete cascade,
  stream text not null,
  record_key text not null,
  record jsonb not null,
  error jsonb not null,
  run_id uuid not null,
  -- 'review': the write may have been applied, so it is never repeated without a person.
  status text not null default 'open' check (status in ('open', 'review', 'replayed', 'discarded')),
  at timestamptz(3) not null default app_now(),
  resolved_at timestamptz(3)
);
create index dead_letter_record on dead_letter (integration_id, stream, record_key) where status in ('open', 'review');
create index dead_letter_integration on dead_letter (integration_id, status, id);

-- What a connector wants to remember between calls.
create table connector_state (
  endpoint_id integer not null references endpoint on delete cascade,
  key text not null,
  value jsonb not null,
  expires_at timestamptz(3),
  primary key (endpoint_id, key)
);
