-- breaking: no
-- Every definition that an integration has had, in its normal form. Written with the change that made it, never changed.
create table integration_version (
  integration_id integer not null references integration on delete cascade,
  number integer not null check (number >= 1),
  document jsonb not null,
  -- 'standing': what stood before the first change that was recorded.
  origin text not null check (origin in ('apply', 'rollback', 'promotion', 'standing')),
  -- A rollback: the version whose document it is.
  restores integer,
  actor text not null,
  reason text,
  at timestamptz(3) not null default app_now(),
  primary key (integration_id, number)
);

create function refuse_changed_version() returns trigger language plpgsql as $$
begin
  raise exception 'Version % of integration % is history and is not changed. Write a new one.', old.number, old.integration_id;
end
$$;
create trigger integration_version_immutable before update on integration_version for each row execute function refuse_changed_version();

-- Other mappings tried beside the ones in force: on a sample (dry-run), beside real runs without writing (shadow), or on a share of them (canary).
create table integration_trial (
  id bigint generated always as identity primary key,
  integration_id integer not null references integration on delete cascade,
  kind text not null check (kind in ('dry-run', 'shadow', 'canary')),
  -- { stream: mapping }
  candidate jsonb not null,
  -- The version that it was taken from, if it was.
  version integer,
  settings jsonb not null,
  state text not null default 'running' check (state in ('running', 'promoting', 'done', 'promoted', 'rolled-back', 'cancelled', 'superseded', 'failed')),
  figures jsonb not null,
  -- Some of the records that differ, bounded.
  differences jsonb not null default '[]',
  -- Of a dry run: the run that reads its sample.
  run_id uuid,
  started_by text not null,
  reason text not null,
  verdict text,
  started_at timestamptz(3) not null default app_now(),
  ended_at timestamptz(3)
);
create unique index integration_trial_one on integration_trial (integration_id) where kind <> 'dry-run' and state in ('running', 'promoting');
create index integration_trial_integration on integration_trial (integration_id, id);
create unique index integration_trial_run on integration_trial (run_id) where run_id is not null;
