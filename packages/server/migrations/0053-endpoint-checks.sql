-- breaking: no
-- What the last check of an endpoint said: an integration is there when all its endpoints are.
create table endpoint_check (
  endpoint_id integer primary key references endpoint on delete cascade,
  ok boolean not null,
  checked_at timestamptz(3) not null,
  took_ms double precision not null
);
