-- breaking: no
-- When an episode began by its monitor's word, where it was moved to the end of the one before: its end may lie between the two. Null: as started_at.
alter table alert add column said_started_at timestamptz(3);
