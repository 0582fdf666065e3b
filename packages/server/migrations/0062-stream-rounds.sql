-- breaking: no
-- How often a stream was read to its end. A record that has no version of its own is known by its content, its place and the round it was read in.
alter table stream_state add column rounds integer not null default 0;

-- What a record was when a target that would double it, or knows it by an idempotency key alone, took it last: the same once more is no change.
-- The key is hashed.
create table stream_sent (
  integration_id integer not null references integration on delete cascade,
  stream text not null,
  key_hash text not null,
  signature text not null,
  seen_at timestamptz(3) not null default app_now(),
  primary key (integration_id, stream, key_hash)
);
create index stream_sent_seen on stream_sent (seen_at);
