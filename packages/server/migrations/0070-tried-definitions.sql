-- breaking: no
-- A trial takes a whole definition: more than mappings may differ. null: one that began before, or a dry run of what is in force.
alter table integration_trial add column definition jsonb;
-- Of a shadow: how far it has read the streams that the definition in force does not have.
alter table integration_trial add column cursors jsonb not null default '{}';
