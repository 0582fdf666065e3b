-- breaking: no
-- Entries stand in a chain: one job gives what has committed its place and its hash, seconds later. Commands know nothing of it.
alter table audit_entry
  -- Dense, from 1; null until it is sealed.
  add column position bigint,
  -- SHA-256 over the hash before and the entry's canonical text (docs/auditors.md).
  add column hash bytea,
  add column sealed_at timestamptz(3),
  -- It appeared long after its own time.
  add column late boolean;
create unique index audit_entry_position on audit_entry (position) where position is not null;
create index audit_entry_unsealed on audit_entry (id) where position is null;
create index audit_entry_at on audit_entry (at, id);
create index audit_entry_actor on audit_entry (actor, at, id);
create index audit_entry_action on audit_entry (action, at, id);
create index audit_entry_about on audit_entry (subject_kind, subject_key, at, id);
drop index audit_entry_subject;

-- Values of entries that name a person, or may. In the chain stands the commitment, SHA-256 of salt and value; without the salt it tells nothing.
create table audit_personal (
  entry_id bigint not null,
  -- JSON pointer into the entry: /actor, /reason, /after/requestedBy.
  field text not null,
  commitment bytea not null,
  -- null: erased, and so is the value.
  salt text,
  -- The entry that ordered it.
  erased_by bigint,
  primary key (entry_id, field)
);

-- The end of the chain, and what those who watch it know.
create table audit_chain (
  only_row boolean primary key default true check (only_row),
  position bigint not null default 0,
  hash bytea not null default decode(repeat('0', 64), 'hex'),
  sealed_at timestamptz(3),
  -- Everything that could be seen at this instant was sealed.
  drained_at timestamptz(3),
  -- control.clock_acknowledgements at that instant: after a jump of the clock nothing is called late.
  clock_acknowledgements integer not null default 0,
  -- The running check: how far its round is, when it looked last, and what it found.
  checked_position bigint not null default 0,
  checked_hash bytea not null default decode(repeat('0', 64), 'hex'),
  checked_at timestamptz(3),
  broken jsonb,
  -- The last signed head that teams were sent.
  published_position bigint not null default 0,
  published_at timestamptz(3) not null default '-infinity'
);
insert into audit_chain default values;

-- One server at a time seals.
create function lock_class_audit() returns integer language sql immutable parallel safe as $$ select 71022 $$;

-- Entries are only added. Sealing and a lawful erasure say in their transaction what they are; anything else is a mistake, and is refused.
create function refuse_audit_change() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and coalesce(current_setting('quiesce.audit_change', true), '') in ('seal', 'erase') then
    return new;
  end if;
  raise exception 'The audit trail only grows: entry % may not be changed or deleted.', old.id using errcode = 'restrict_violation';
end
$$;
create trigger audit_entry_only_grows before update or delete on audit_entry for each row execute function refuse_audit_change();
