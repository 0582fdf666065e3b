-- breaking: no
-- The time zone data that were ever in force, whole: a server whose own are other ones computes with these, and the ledger recomputes the past with
-- those of its time. control.zone_data_version names the one in force.
create table zone_data (
  version text primary key,
  -- Where they came from, for people: "packaged", a folder.
  source text not null,
  -- gzip of JSON: { files: { zone: TZif in base64 }, links: { name: zone } }
  files bytea not null,
  installed_at timestamptz(3) not null default app_now()
);

-- A server that has not noticed a change of the data yet would write instants that no other server computes. It is refused and reads the new data.
create function refuse_other_zone_data() returns trigger
language plpgsql
as $$
declare
  v_other text;
begin
  select a.zone_data_version into v_other
  from added as a join control as c on c.zone_data_version <> a.zone_data_version join zone_data as z on z.version = c.zone_data_version
  limit 1;
  if v_other is not null then
    raise exception 'The time zone data in force have changed; % was computed with %. Try again in some seconds.', tg_table_name, v_other
      using errcode = 'serialization_failure';
  end if;
  return null;
end
$$;
create trigger occurrence_zone_data after insert on occurrence
  referencing new table as added for each statement execute function refuse_other_zone_data();
create trigger job_schedule_zone_data after insert on job_schedule
  referencing new table as added for each statement execute function refuse_other_zone_data();
