-- breaking: no
-- What became of each record of a page that was committed: a row a page, so that it costs a fraction of a row a record. Kept for some days.
create table record_page (
  id bigint generated always as identity primary key,
  integration_id integer not null references integration on delete cascade,
  stream text not null,
  run_id uuid not null,
  -- How its records came: read from the source, missed in it, pushed, or replayed from dead letters.
  origin text not null check (origin in ('read', 'missing', 'push', 'replay')),
  at timestamptz(3) not null default app_now(),
  -- The records of the page, in order, and a letter for each: see pipeline/record-trace.ts.
  keys text[] not null,
  outcomes text not null check (length(outcomes) >= cardinality(keys)),
  -- Their names at the target, and the versions there, where any is another than the key, or known.
  target_keys text[],
  remote_ids text[],
  versions text[],
  -- { place in the page: why }
  errors jsonb,
  -- By any of its names, hashed; whoever finds a page looks at the names themselves.
  name_hashes integer[] not null
);
-- Entries wait in a list of up to 16 MB and go into the tree together: measured 0.6 to 0.8 instead of 1.5 µs a record.
create index record_page_names on record_page using gin (name_hashes) with (gin_pending_list_limit = 16384);
create index record_page_at on record_page (at);

-- A record is asked for by its key alone, too, whatever became of its letter.
create index dead_letter_key on dead_letter (record_key);
create index inbox_record_key on inbox_record (record_key);
