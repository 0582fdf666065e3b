-- breaking: no
-- What was closed while a team was asked to take it over is offered to nobody any more.
update incident set offered_to = null, offered_by = null, offer_reason = null, offered_at = null where state in ('closed', 'merged') and offered_to is not null;
