-- The world as somebody with narrower grants may see it: views of the same names as the tables, with only the rows in reach. A connection whose
-- search_path begins with this schema reads them with the very statements that everybody else's requests use, so what is out of reach is not there.
-- Made anew after every migration. Nothing may be read here by default: a table without a line below is refused by a test (visible-schema.test.ts).
--
-- The reach is two settings of the transaction, each a list of scopes as in api_token.grants: quiesce.look for everything, quiesce.records for the
-- contents of records. Without them nothing is visible. core/access/scope.ts says the same in TypeScript for what is changed; a test compares them.
drop schema if exists visible cascade;
create schema visible;

create function visible.look() returns jsonb language sql stable as $$ select nullif(current_setting('quiesce.look', true), '')::jsonb $$;
create function visible.records() returns jsonb language sql stable as $$ select nullif(current_setting('quiesce.records', true), '')::jsonb $$;

create function visible.sees_all() returns boolean language sql stable as $$
  select coalesce(visible.look() @> '[{"kind": "all"}]', false)
$$;

-- Systems that a scope names, by themselves, by their team or by their vendor.
create function visible.named_systems(p_scopes jsonb) returns setof integer language sql stable as $$
  select s.id from public.system as s
  where exists (
    select from jsonb_to_recordset(coalesce(p_scopes, '[]')) as g(kind text, name text)
    where g.kind = 'all' or (g.kind = 'team' and g.name = s.owner_team) or (g.kind = 'vendor' and g.name = s.vendor)
      or (g.kind = 'system' and g.name = s.key))
$$;

-- Integrations that a scope names, and those on whose route a named system is.
create function visible.integrations_within(p_scopes jsonb) returns setof integer language sql stable as $$
  select i.id from public.integration as i
  where exists (
    select from jsonb_to_recordset(coalesce(p_scopes, '[]')) as g(kind text, name text)
    where g.kind = 'all' or (g.kind = 'team' and g.name = i.owner_team) or (g.kind = 'vendor' and g.name = i.vendor)
      or (g.kind = 'integration' and g.name = i.key))
  union
  select r.integration_id from public.integration_system as r where r.system_id in (select visible.named_systems(p_scopes))
$$;

create function visible.integrations() returns setof integer language sql stable as $$ select visible.integrations_within(visible.look()) $$;

-- Named ones, and those on the routes of integrations in reach: who answers for an integration sees where its data goes.
create function visible.systems() returns setof integer language sql stable as $$
  select visible.named_systems(visible.look())
  union
  select r.system_id from public.integration_system as r where r.integration_id in (select visible.integrations())
$$;

create function visible.in_team(p_team text) returns boolean language sql stable as $$
  select visible.sees_all() or coalesce(visible.look() @> jsonb_build_array(jsonb_build_object('kind', 'team', 'name', p_team)), false)
$$;

-- Whether a scope of a window, a pause or a feed names something in reach; what it covers by tags and dependencies its members tell.
create function visible.names_visible(p_scope jsonb) returns boolean language sql stable as $$
  select exists (select from jsonb_array_elements_text(coalesce(p_scope -> 'systems', '[]')) as e(key) join public.system as s on s.key = e.key
      where s.id in (select visible.systems()))
    or exists (select from jsonb_array_elements_text(coalesce(p_scope -> 'integrations', '[]')) as e(key) join public.integration as i on i.key = e.key
      where i.id in (select visible.integrations()))
$$;

-- A scope without the keys of what is out of reach.
create function visible.scope_of(p_scope jsonb) returns jsonb language sql stable as $$
  select case when visible.sees_all() then p_scope else p_scope
    || case when p_scope ? 'systems' then jsonb_build_object('systems', (
        select coalesce(jsonb_agg(e.key order by e.n), '[]') from jsonb_array_elements_text(p_scope -> 'systems') with ordinality as e(key, n)
        join public.system as s on s.key = e.key where s.id in (select visible.systems()))) else '{}' end
    || case when p_scope ? 'integrations' then jsonb_build_object('integrations', (
        select coalesce(jsonb_agg(e.key order by e.n), '[]') from jsonb_array_elements_text(p_scope -> 'integrations') with ordinality as e(key, n)
        join public.integration as i on i.key = e.key where i.id in (select visible.integrations()))) else '{}' end
  end
$$;

-- A view of a table with every column, some of them replaced.
create function visible.show(p_table text, p_condition text, p_replaced jsonb default '{}') returns void language plpgsql as $$
declare
  columns text;
begin
  select string_agg(case when p_replaced ? attname then format('%s as %I', p_replaced ->> attname, attname) else format('t.%I', attname) end, ', ' order by attnum)
  into strict columns from pg_attribute where attrelid = format('public.%I', p_table)::regclass and attnum > 0 and not attisdropped;
  execute format('create view visible.%I as select %s from public.%I as t where %s', p_table, columns, p_table, p_condition);
end
$$;

do $$
declare
  of_integration constant text := 't.integration_id in (select visible.integrations())';
  of_records constant text := 't.integration_id in (select visible.integrations_within(visible.records()))';
  of_reconciliation constant text := 'exists (select from visible.reconciliation as c where c.id = t.reconciliation_id)';
  of_window constant text := 'exists (select from visible.maintenance_window as w where w.id = t.window_id)';
  of_hold constant text := 'exists (select from visible.hold as h where h.id = t.hold_id)';
  of_occurrence constant text := 'exists (select from visible.occurrence as o where o.id = t.occurrence_id)';
  of_system constant text := 't.system_id in (select visible.systems())';
  of_named_endpoint constant text := 't.endpoint_id in (select e.id from public.endpoint as e where e.system_id in (select visible.named_systems(visible.look())))';
  of_system_of_endpoint constant text := 't.endpoint_id in (select e.id from public.endpoint as e where e.system_id in (select visible.systems()))';
  of_series constant text := 't.series_id in (select s.id from public.kpi_series as s where s.integration_id in (select visible.integrations()))';
  of_recorded_endpoint constant text := 't.endpoint_id in (select e.id from public.endpoint as e where e.system_id in (select visible.named_systems(visible.records())))';
  -- What names a tag, or everything, says what is promised of integrations out of reach as well.
  of_kpi_scope constant text := 'visible.sees_all() or case t.scope ->> ''kind'' when ''team'' then visible.in_team(t.scope ->> ''name'')
    when ''system'' then t.scope ->> ''name'' in (select s.key from public.system as s where s.id in (select visible.named_systems(visible.look())))
    when ''integration'' then exists (select from visible.integration as i where i.key = t.scope ->> ''name'') else false end';
  hidden text;
begin
  perform visible.show('system', 't.id in (select visible.systems())');
  perform visible.show('system_dependency', of_system || ' and t.depends_on_id in (select visible.systems())');
  perform visible.show('endpoint', of_system);
  perform visible.show('system_monitor', of_system || ' and ' || of_system_of_endpoint);
  perform visible.show('remote_downtime', of_system_of_endpoint);
  perform visible.show('endpoint_secret', of_named_endpoint);
  perform visible.show('endpoint_finding', of_named_endpoint);
  perform visible.show('endpoint_breaker', of_named_endpoint);
  perform visible.show('endpoint_check', of_named_endpoint);
  perform visible.show('credential', of_named_endpoint);
  perform visible.show('credential_rotation', of_named_endpoint);
  perform visible.show('integration', 't.id in (select visible.integrations())');
  perform visible.show('integration_system', of_integration);
  perform visible.show('integration_version', of_integration);
  perform visible.show('integration_trial', of_integration,
    '{"differences": "case when t.integration_id in (select visible.integrations_within(visible.records())) then t.differences else ''[]'' end"}');
  perform visible.show('job', of_integration);
  perform visible.show('reconciliation', of_integration);
  perform visible.show('reconciliation_resync', of_reconciliation);
  perform visible.show('reconciliation_stream', of_reconciliation,
    '{"samples": "case when (select c.integration_id from public.reconciliation as c where c.id = t.reconciliation_id) in (select visible.integrations_within(visible.records())) then t.samples else ''[]'' end"}');
  perform visible.show('reconciliation_difference',
    'exists (select from public.reconciliation as c where c.id = t.reconciliation_id and c.integration_id in (select visible.integrations_within(visible.records())))');
  perform visible.show('job_schedule', 'exists (select from visible.job as j where j.id = t.job_id)');

  perform visible.show('hold_member', of_integration);
  perform visible.show('hold',
    'visible.sees_all() or visible.in_team(t.owner) or visible.names_visible(t.scope) or exists (select from public.hold_member as m where m.hold_id = t.id and m.integration_id in (select visible.integrations()))',
    '{"scope": "visible.scope_of(t.scope)"}');
  perform visible.show('maintenance_window',
    'visible.sees_all() or visible.in_team(t.owner) or visible.names_visible(t.scope) or exists (select from public.occurrence as o join public.hold as h on h.occurrence_id = o.id
      join public.hold_member as m on m.hold_id = h.id where o.window_id = t.id and m.integration_id in (select visible.integrations()))',
    '{"scope": "visible.scope_of(t.scope)"}');
  perform visible.show('occurrence', of_window);
  perform visible.show('occurrence_override', of_window);
  perform visible.show('freeze_conflict', of_window || ' and exists (select from visible.maintenance_window as f where f.id = t.freeze_id)');
  perform visible.show('monitor_announcement', of_window || ' and ' || of_system_of_endpoint);
  perform visible.show('announcement', of_window, '{"integrations": "array(select i.key from public.integration as i where i.key = any (t.integrations) and i.id in (select visible.integrations()) order by i.key)"}');
  perform visible.show('readiness_check', of_occurrence || ' and exists (select from visible.endpoint as e where e.id = t.endpoint_id)');
  perform visible.show('canary', of_hold || ' and ' || of_system);
  perform visible.show('system_ramp', of_system);
  perform visible.show('resume_batch', of_hold);

  perform visible.show('run', of_integration);
  perform visible.show('stream_state', of_integration);
  perform visible.show('dead_letter', of_records);
  perform visible.show('sync_conflict', of_records);
  perform visible.show('record_page', of_records);
  perform visible.show('alert', of_system_of_endpoint);
  perform visible.show('alert_standing', 'exists (select from visible.alert as a where a.id = t.alert_id)');
  perform visible.show('alert_reason', 'exists (select from visible.alert as a where a.id = t.alert_id)');
  perform visible.show('incident', 'visible.sees_all() or t.system_id in (select visible.systems()) or visible.in_team(t.owner_team)');
  perform visible.show('incident_entry', 'exists (select from visible.incident as i where i.id = t.incident_id)');
  perform visible.show('problem', 'visible.sees_all() or t.system_id in (select visible.systems())');
  perform visible.show('objective', of_kpi_scope);
  perform visible.show('objective_burn', 'exists (select from visible.objective as o where o.id = t.objective_id)');
  perform visible.show('threshold', of_kpi_scope);
  perform visible.show('threshold_state', of_integration || ' and exists (select from visible.threshold as o where o.id = t.threshold_id)');
  perform visible.show('anomaly_rule', of_kpi_scope);
  perform visible.show('anomaly', of_integration);
  perform visible.show('kpi_band', of_integration);
  perform visible.show('kpi_series', of_integration);
  perform visible.show('kpi_sample', of_series);
  perform visible.show('kpi_retention', 'visible.sees_all() or t.metric = '''' and visible.look() is not null or exists (select from visible.kpi_series as s where s.metric = t.metric)');
  perform visible.show('kpi_minute', of_series);
  perform visible.show('kpi_hour', of_series);
  perform visible.show('kpi_day', of_series);
  perform visible.show('webhook_delivery', of_recorded_endpoint);
  perform visible.show('inbox', of_integration);
  perform visible.show('inbox_record', of_records);
  perform visible.show('inbox_release', of_integration || ' and ' || of_hold);

  perform visible.show('calendar_import_event', of_window);
  perform visible.show('calendar_import', 'visible.sees_all() or exists (select from visible.calendar_import_event as e where e.import_id = t.id)');
  perform visible.show('calendar_feed',
    'visible.sees_all() or case t.scope ->> ''kind'' when ''team'' then visible.in_team(t.scope ->> ''name'')
      when ''system'' then exists (select from visible.system as s where s.key = t.scope ->> ''name'')
      when ''integration'' then exists (select from visible.integration as i where i.key = t.scope ->> ''name'') else false end');
  perform visible.show('team', 'visible.in_team(t.key) or exists (select from visible.system as s where s.owner_team = t.key)
    or exists (select from visible.integration as i where i.owner_team = t.key)');
  perform visible.show('team_webhook', 'exists (select from public.team as o where o.id = t.team_id and visible.in_team(o.key))');
  perform visible.show('outbox', 'visible.in_team(t.team)');

  -- Of the deployment: who may not read it by the rule table is not asked this far; it is hidden all the same.
  foreach hidden in array array['access_notice', 'access_review', 'access_review_item', 'access_use', 'agenda_job', 'alert_look', 'alert_news', 'api_token', 'audit_entry', 'audit_personal', 'audit_chain', 'connector_state', 'correlation_rule', 'endpoint_check_turn', 'endpoint_pace', 'endpoint_slot', 'endpoint_token_refresh', 'event_inbox', 'event_log', 'kpi_baseline', 'kpi_dirty', 'kpi_progress', 'monitor_identity', 'monitor_look',
    'principal', 'principal_network', 'reconciliation_entry', 'session', 'sign_in_attempt', 'sign_in_link', 'stream_key', 'stream_sent', 'stream_ticket', 'sync_record']
  loop
    perform visible.show(hidden, 'false');
  end loop;
end
$$;
