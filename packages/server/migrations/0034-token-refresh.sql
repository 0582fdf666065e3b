-- breaking: no
-- Which server is fetching an access token for an endpoint: one at a time, because many systems take each refresh token once. The token itself is in
-- connector_state, sealed. A server that died leaves its place when its lease ends.
create table endpoint_token_refresh (
  endpoint_id integer primary key references endpoint on delete cascade,
  holder uuid not null,
  lease_until timestamptz(3) not null
);
