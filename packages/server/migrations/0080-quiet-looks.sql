-- breaking: no
-- A look at alerts folds all that are not settled. Whether it could find anything new is told by two things: whether a fact that it reads was
-- written since the last look, and whether an instant has come at which time alone changes what it decides.

-- One row for each transaction that wrote a fact of a look. A look takes away those that it sees before it reads anything: what commits later
-- leaves its row for the next one. Its own writing leaves one too, so only a look that changed nothing is followed by quiet ones.
create table alert_news (
  transaction_id bigint primary key
);

-- What the last whole look found. Without a row the next one is whole.
create table alert_look (
  single boolean primary key default true check (single),
  looked_at timestamptz(3) not null,
  -- Until then time alone changes nothing of what was decided.
  due_at timestamptz(3) not null
);

create function note_alert_news() returns trigger
language plpgsql volatile
as $$
begin
  insert into alert_news (transaction_id) values (pg_current_xact_id()::text::bigint) on conflict do nothing;
  return null;
end
$$;

-- Of statements that every look sends, most of which change no row.
create function note_alert_news_of_rows() returns trigger
language plpgsql volatile
as $$
begin
  if exists (select from changed) then
    insert into alert_news (transaction_id) values (pg_current_xact_id()::text::bigint) on conflict do nothing;
  end if;
  return null;
end
$$;

create trigger alert_is_news after insert or update or delete or truncate on alert for each statement execute function note_alert_news();
create trigger alert_standing_is_news after insert or delete or truncate on alert_standing for each statement execute function note_alert_news();
create trigger alert_standing_change_is_news after update on alert_standing referencing new table as changed
  for each statement execute function note_alert_news_of_rows();
create trigger incident_is_news after insert or delete or truncate on incident for each statement execute function note_alert_news();
create trigger incident_change_is_news after update on incident referencing new table as changed
  for each statement execute function note_alert_news_of_rows();
create trigger correlation_rule_is_news after insert or update or delete or truncate on correlation_rule
  for each statement execute function note_alert_news();

create trigger system_dependency_is_news after insert or update or delete or truncate on system_dependency
  for each statement execute function note_alert_news();
create trigger system_monitor_is_news after insert or update or delete or truncate on system_monitor
  for each statement execute function note_alert_news();
create trigger system_is_news after insert or delete or truncate on system for each statement execute function note_alert_news();
create trigger system_key_is_news after update of key on system for each row when (old.key <> new.key) execute function note_alert_news();
create trigger endpoint_place_is_news after update of key, system_id on endpoint for each row
  when (old.key <> new.key or old.system_id <> new.system_id) execute function note_alert_news();

-- Of windows what may be over an alert: their dispatch changes other columns all the time.
create trigger hold_is_news after insert or delete or truncate on hold for each statement execute function note_alert_news();
create trigger hold_change_is_news after update of begins_at, released_at, mode, scope, occurrence_id on hold for each row
  when (old.begins_at <> new.begins_at or old.released_at is distinct from new.released_at or old.mode <> new.mode or old.scope <> new.scope
    or old.occurrence_id is distinct from new.occurrence_id)
  execute function note_alert_news();
create trigger occurrence_time_is_news after update of starts_at, ends_at, local_start on occurrence for each row
  when (old.starts_at <> new.starts_at or old.ends_at <> new.ends_at or old.local_start <> new.local_start)
  execute function note_alert_news();
create trigger maintenance_window_is_news after update of key, title, kind on maintenance_window for each row
  when (old.key <> new.key or old.title <> new.title or old.kind <> new.kind) execute function note_alert_news();
create trigger control_mode_is_news after update of mode on control for each row when (old.mode <> new.mode) execute function note_alert_news();
