-- breaking: no
-- People and service accounts. Approvals, holds and the audit trail know them by name, so a name belongs to one of them for good.
create table principal (
  id bigint generated always as identity primary key,
  kind text not null check (kind in ('person', 'service')),
  name text not null,
  -- Who vouches for a person, and by which identifier; null: a local account, which signs in by links.
  issuer text,
  subject text,
  email text,
  -- The team or person that answers for a service account.
  owner text,
  -- What a session of it may do: [{"role", "scope": {"kind", "name"?}}]; none: nothing. Tokens have grants of their own.
  grants jsonb not null default '[]',
  created_by text not null,
  created_at timestamptz(3) not null default app_now(),
  disabled_at timestamptz(3),
  last_seen_at timestamptz(3),
  check ((issuer is null) = (subject is null))
);
create unique index principal_name on principal (name);
create index principal_lower_name on principal (lower(name));
create unique index principal_subject on principal (issuer, subject) where issuer is not null;

-- Names are given one after the other: what was looked up as free stays free.
create function lock_class_names() returns integer language sql immutable parallel safe as $$ select 71025 $$;

-- Each token belongs to one: those that there are, to a service account of the same name.
alter table api_token add column principal_id bigint references principal;
insert into principal (kind, name, created_by, created_at, last_seen_at)
  select 'service', name, (array_agg(created_by order by id))[1], min(created_at), max(last_used_at) from api_token group by name order by min(id);
update api_token as t set principal_id = p.id from principal as p where p.name = t.name;
alter table api_token alter column principal_id set not null;
create index api_token_principal on api_token (principal_id);

-- Sessions of browsers. The cookie holds 256 random bits, the row their SHA-256.
create table session (
  id bigint generated always as identity primary key,
  hash bytea not null unique,
  principal_id bigint not null references principal on delete cascade,
  method text not null check (method in ('oidc', 'link')),
  -- What the browser calls itself, so that a person knows the sessions apart.
  browser text,
  created_at timestamptz(3) not null default app_now(),
  last_used_at timestamptz(3) not null default app_now(),
  -- Each use moves the end of idleness; the other end stays where it is.
  idle_seconds integer not null check (idle_seconds > 0),
  idle_until timestamptz(3) not null,
  expires_at timestamptz(3) not null,
  ended_at timestamptz(3)
);
create index session_principal on session (principal_id, id);

-- Worth one session, to whoever has the link.
create table sign_in_link (
  hash bytea primary key,
  principal_id bigint not null references principal on delete cascade,
  created_by text not null,
  created_at timestamptz(3) not null default app_now(),
  expires_at timestamptz(3) not null,
  used_at timestamptz(3)
);
create index sign_in_link_expiry on sign_in_link (expires_at);

-- A sign-in that was begun at the provider of identities. Everything of worth is derived from the browser's cookie: here is its SHA-256.
create table sign_in_attempt (
  hash bytea primary key,
  return_to text not null,
  expires_at timestamptz(3) not null
);
create index sign_in_attempt_expiry on sign_in_attempt (expires_at);
