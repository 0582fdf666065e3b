-- breaking: no
-- What a webhook took last is looked up for every delivery that has neither an id nor a time of its own.
create index webhook_delivery_newest on webhook_delivery (endpoint_id, facet, id);
