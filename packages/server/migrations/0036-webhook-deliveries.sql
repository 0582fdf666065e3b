-- breaking: no
-- Deliveries of webhooks: kept as they came before the answer is given, worked through afterwards in their order.

create table webhook_delivery (
  id bigint generated always as identity primary key,
  endpoint_id integer not null references endpoint on delete cascade,
  -- Which part of the connector takes it.
  facet text not null check (facet in ('push', 'alerts')),
  -- The sender's name of it, or a digest of what it holds: the same again within 72 hours is no new one.
  delivery_id text not null,
  received_at timestamptz(3) not null,
  sent_at timestamptz(3),
  method text not null,
  path text not null,
  query jsonb not null,
  -- Without credentials.
  headers jsonb not null,
  -- The very bytes; gone when it is done.
  body bytea,
  bytes integer not null,
  state text not null default 'waiting' check (state in ('waiting', 'done', 'dead', 'discarded')),
  tries integer not null default 0,
  next_try_at timestamptz(3),
  -- Why it is dead, or why it waits.
  error jsonb,
  -- What became of it: records accepted, alerts raised.
  result jsonb,
  settled_at timestamptz(3),
  check ((state = 'waiting') = (settled_at is null)),
  check (state not in ('waiting', 'dead') or body is not null)
);
create unique index webhook_delivery_known on webhook_delivery (endpoint_id, delivery_id);
create index webhook_delivery_waiting on webhook_delivery (endpoint_id, id) where state = 'waiting';
create index webhook_delivery_settled on webhook_delivery (settled_at) where settled_at is not null;
create index webhook_delivery_dead on webhook_delivery (id) where state = 'dead';
