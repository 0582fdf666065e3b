-- breaking: yes
create table system (
  id integer generated always as identity primary key,
  key text not null unique,
  name text not null,
  kind text not null default 'other',
  description text,
  owner_team text,
  vendor text,
  criticality text not null default 'medium' check (criticality in ('low', 'medium', 'high', 'critical')),
  environment text,
  jurisdiction text,
  tags text[] not null default '{}',
  -- At most this many runs touch the system at once; null means no cap.
  max_concurrent_runs integer check (max_concurrent_runs >= 1),
  -- On resume, runs on this system start this far apart.
  resume_spacing_ms integer not null default 200 check (resume_spacing_ms between 0 and 3600000),
  created_at timestamptz(3) not null default app_now(),
  updated_at timestamptz(3) not null default app_now()
);

create table system_dependency (
  system_id integer not null references system on delete cascade,
  depends_on_id integer not null references system on delete cascade,
  strength text not null check (strength in ('hard', 'soft')),
  primary key (system_id, depends_on_id),
  check (system_id <> depends_on_id)
);
create index system_dependency_reverse on system_dependency (depends_on_id);

create table endpoint (
  id integer generated always as identity primary key,
  key text not null unique,
  name text not null,
  system_id integer not null references system,
  connector text not null,
  config jsonb not null default '{}',
  created_at timestamptz(3) not null default app_now(),
  updated_at timestamptz(3) not null default app_now()
);
create index endpoint_system on endpoint (system_id);

create table endpoint_secret (
  endpoint_id integer not null references endpoint on delete cascade,
  name text not null,
  -- Envelope: the value sealed by a data key, the data key sealed by the master key key_id.
  sealed jsonb not null,
  -- Where the value came from (env:NAME, file:PATH or inline), so that an export can say so without the value.
  source text not null,
  fingerprint text not null,
  updated_at timestamptz(3) not null default app_now(),
  primary key (endpoint_id, name)
);

create table integration (
  id integer generated always as identity primary key,
  key text not null unique,
  name text not null,
  description text,
  source_endpoint_id integer references endpoint,
  target_endpoint_id integer references endpoint,
  -- [{ stream, target, mapping, deletes }]
  streams jsonb not null default '[]',
  owner_team text,
  vendor text,
  criticality text not null default 'medium' check (criticality in ('low', 'medium', 'high', 'critical')),
  environment text,
  jurisdiction text,
  tags text[] not null default '{}',
  playbook_url text,
  -- Whether a run that was lost midway may simply be run again.
  idempotent boolean not null default true,
  -- Dispatch locks are taken on buckets of integrations: one lock an integration would not fit PostgreSQL's lock table.
  bucket integer not null generated always as (id % 1024) stored,
  created_at timestamptz(3) not null default app_now(),
  updated_at timestamptz(3) not null default app_now()
);
create index integration_tags on integration using gin (tags);

-- The route: the systems that an integration touches.
create table integration_system (
  integration_id integer not null references integration on delete cascade,
  system_id integer not null references system,
  role text not null check (role in ('source', 'target', 'via')),
  primary key (integration_id, system_id)
);
create index integration_system_system on integration_system (system_id);

create table job (
  id integer generated always as identity primary key,
  key text not null unique,
  name text not null,
  integration_id integer not null references integration on delete cascade,
  -- null: no schedule, runs only by hand or by other triggers.
  schedule jsonb,
  schedule_version integer not null default 1,
  enabled boolean not null default true,
  catch_up text not null default 'coalesce' check (catch_up in ('skip', 'coalesce', 'all')),
  catch_up_max_age_seconds integer check (catch_up_max_age_seconds >= 1),
  timeout_seconds integer not null default 900 check (timeout_seconds between 1 and 86400),
  retry jsonb not null default '{"maxAttempts": 3, "backoffSeconds": 10, "maxBackoffSeconds": 600}',
  -- Every due time before this instant has its row.
  watermark timestamptz(3) not null default app_now(),
  next_due_at timestamptz(3),
  running_run_id uuid,
  created_at timestamptz(3) not null default app_now(),
  updated_at timestamptz(3) not null default app_now()
-- Every start and end of a run changes its job's row: room on the page keeps that from touching the indexes.
) with (fillfactor = 60);
create index job_integration on job (integration_id);
create index job_next_due on job (next_due_at) where next_due_at is not null;

-- Every schedule that a job ever had, so that expected due times can be recomputed and compared with the ledger.
create table job_schedule (
  job_id integer not null references job on delete cascade,
  version integer not null,
  schedule jsonb,
  valid_from timestamptz(3) not null,
  valid_to timestamptz(3),
  zone_data_version text,
  primary key (job_id, version)
);
