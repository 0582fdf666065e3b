-- breaking: no
-- A browser's EventSource sends no headers: it shows a ticket in the address instead, which is worth one stream within half a minute.
create table stream_ticket (
  hash bytea primary key,
  token_id bigint not null references api_token (id) on delete cascade,
  expires_at timestamptz(3) not null
);
create index stream_ticket_token on stream_ticket (token_id, expires_at);
