-- breaking: no
-- An incident that a person split off has no anchor: the alerts of it may have been split off, and merged back, before.
alter table incident alter column anchor_alert_id drop not null;
