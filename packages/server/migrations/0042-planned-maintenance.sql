-- breaking: no
-- Since when an occurrence was known as it took place, and until when it was planned: what an agreement about maintenance asks. What is moved or made
-- longer before it begins is known from then on; what goes on beyond its planned end was never announced.
alter table occurrence
  add column known_since timestamptz(3),
  add column planned_ends_at timestamptz(3);
update occurrence as o set known_since = w.created_at, planned_ends_at = o.ends_at from maintenance_window as w where w.id = o.window_id;

create function keep_occurrence_plan() returns trigger
language plpgsql volatile
as $$
begin
  if tg_op = 'INSERT' then
    new.known_since := coalesce(new.known_since, app_now());
    new.planned_ends_at := coalesce(new.planned_ends_at, new.ends_at);
  elsif new.starts_at is distinct from old.starts_at or new.ends_at is distinct from old.ends_at then
    if app_now() < old.starts_at then
      if new.starts_at < old.starts_at or new.ends_at > old.ends_at then
        new.known_since := app_now();
      end if;
      new.planned_ends_at := new.ends_at;
    else
      new.planned_ends_at := least(old.planned_ends_at, new.ends_at);
    end if;
  end if;
  return new;
end
$$;
create trigger occurrence_plan before insert or update of starts_at, ends_at on occurrence for each row execute function keep_occurrence_plan();
