-- breaking: no
-- How alerts are kept together, or quiet: rules in their order, as data.
create table correlation_rule (
  key text primary key,
  place integer not null unique,
  document jsonb not null,
  changed_at timestamptz(3) not null default app_now()
);
