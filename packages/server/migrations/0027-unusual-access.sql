-- breaking: no
-- Where a principal usually comes from: the /24 of an IPv4 address, the /48 of an IPv6 one. Written at most once a day for each, and server.
create table principal_network (
  principal_id bigint not null references principal on delete cascade,
  network text not null,
  first_seen_at timestamptz(3) not null default app_now(),
  last_seen_at timestamptz(3) not null default app_now(),
  primary key (principal_id, network)
);

-- When somebody was last told of a kind of unusual access by a principal: once an hour is enough, whichever server saw it.
create table access_notice (
  principal_id bigint not null references principal on delete cascade,
  kind text not null,
  noticed_at timestamptz(3) not null default app_now(),
  primary key (principal_id, kind)
);
