-- breaking: no
-- Teams are told by mail as well: a row with an endpoint is a mail to its address (url is mailto:…), written as a record into a stream of that endpoint.
-- It has no secret of its own; the endpoint has.
alter table team_webhook add column endpoint_id integer references endpoint on delete cascade;
alter table team_webhook add column stream text;
alter table team_webhook alter column source drop not null;
alter table team_webhook alter column sealed drop not null;
alter table team_webhook alter column fingerprint drop not null;
alter table team_webhook add constraint team_webhook_way check (
  (endpoint_id is null) = (sealed is not null) and num_nulls(source, sealed, fingerprint) in (0, 3) and (endpoint_id is null or stream is not null));
create index team_webhook_endpoint on team_webhook (endpoint_id) where endpoint_id is not null;
