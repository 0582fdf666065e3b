-- breaking: no
-- Endpoints that are checked by the clock, and when each has its turn. A row is there while check_every_ms is set.
alter table endpoint add column check_every_ms integer check (check_every_ms > 0);

create table endpoint_check_turn (
  endpoint_id integer primary key references endpoint on delete cascade,
  due_at timestamptz(3) not null
);
create index endpoint_check_turn_due on endpoint_check_turn (due_at);
