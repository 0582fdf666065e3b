-- breaking: no
-- A person opened it again although none of its alerts fires: it is not resolved by itself before another alert comes to it.
alter table incident add column kept_open boolean not null default false;
