-- breaking: yes
-- Older servers know no scopes: to them a token over one system would be a token over everything.
-- [{ role, scope: { kind: all } | { kind: team | vendor | system | integration, name } }]
alter table api_token add column grants jsonb;
update api_token set grants = jsonb_build_array(jsonb_build_object('role', role, 'scope', jsonb_build_object('kind', 'all')));
alter table api_token
  alter column grants set not null,
  add constraint api_token_grants check (jsonb_typeof(grants) = 'array' and jsonb_array_length(grants) between 1 and 50),
  drop column role;
