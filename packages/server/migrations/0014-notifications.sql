-- breaking: no
-- Who answers for windows and integrations, and where they are told. Owners name a team by its key; no row, no messages.
create table team (
  id integer generated always as identity primary key,
  key text not null unique,
  title text not null,
  created_at timestamptz(3) not null default app_now(),
  updated_at timestamptz(3) not null default app_now()
);

create table team_webhook (
  id integer generated always as identity primary key,
  team_id integer not null references team on delete cascade,
  url text not null,
  -- Kinds of events; empty: the usual ones.
  events text[] not null default '{}',
  -- Also of windows that only observe.
  observe boolean not null default false,
  -- The secret as those of endpoints: where its value came from, the sealed value, its fingerprint.
  source text not null,
  sealed jsonb not null,
  fingerprint text not null,
  -- Its receiver said 410 Gone: nothing is sent there until a test delivery is answered.
  disabled_at timestamptz(3),
  unique (team_id, url)
);

-- That an occurrence was announced, with the times that were told and to whom; by its name, because an edit of the series writes occurrences anew.
create table announcement (
  window_id integer not null references maintenance_window on delete cascade,
  local_start text not null,
  local_end text not null,
  starts_at timestamptz(3) not null,
  ends_at timestamptz(3) not null,
  teams text[] not null,
  integrations text[] not null,
  integration_count integer not null,
  -- It was told that it does not take place.
  retracted_at timestamptz(3),
  primary key (window_id, local_start)
);
create index announcement_ahead on announcement (ends_at) where retracted_at is null;

-- What must reach the outside: written in the transaction of the fact, delivered afterwards, at least once, under one message id.
create table outbox (
  id bigint generated always as identity primary key,
  -- The idempotency key of the receiver: the same for every attempt.
  message_id uuid not null unique default gen_random_uuid(),
  kind text not null,
  -- null: the destination is there no more.
  webhook_id integer references team_webhook on delete set null,
  -- Kept for the record; of the address the origin, the rest may be secret.
  team text not null,
  destination text not null,
  -- Messages of one destination about one thing go in the order of their ids.
  thing text not null,
  payload jsonb not null,
  at timestamptz(3) not null default app_now(),
  -- Raised before every attempt: whoever holds an older number may not say how it ended.
  attempts integer not null default 0,
  -- The patience of a message that was ordered anew begins anew.
  patience_from timestamptz(3) not null default app_now(),
  patience_attempts integer not null default 0,
  next_at timestamptz(3) not null default app_now(),
  delivered_at timestamptz(3),
  failed_at timestamptz(3),
  -- How the last attempt was answered.
  last_status integer,
  last_error text
);
create index outbox_due on outbox (next_at) where delivered_at is null and failed_at is null;
create index outbox_order on outbox (webhook_id, thing, id) where delivered_at is null and failed_at is null;
create index outbox_ended on outbox (coalesce(delivered_at, failed_at));
