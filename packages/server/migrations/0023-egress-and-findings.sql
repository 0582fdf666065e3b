-- breaking: no
-- Names that may lead an endpoint into private networks, as the workspace says.
alter table endpoint add column allow_private text[] not null default '{}';

-- What was seen of an endpoint's certificate, protocol and way to authenticate, at its last check.
create table endpoint_finding (
  endpoint_id integer not null references endpoint on delete cascade,
  kind text not null check (kind in ('certificate-expiry', 'certificate-untrusted', 'certificate-name', 'protocol-old', 'plain-text', 'authentication')),
  -- Which place: an origin of the endpoint.
  origin text not null,
  severity text not null check (severity in ('info', 'low', 'medium', 'high', 'critical')),
  message text not null,
  -- Since when it is so; the same finding of a later check keeps it.
  found_at timestamptz(3) not null,
  checked_at timestamptz(3) not null,
  -- For certificate-expiry: when it ends, and the nearest of 30, 14, 7 and 1 days before that teams were told of.
  expires_at timestamptz(3),
  told_days integer,
  primary key (endpoint_id, kind, origin)
);
create index endpoint_finding_expiry on endpoint_finding (expires_at) where expires_at is not null;
