-- breaking: no
-- Where the address of an imported calendar came from (env:NAME, file:PATH, inline) and the fingerprint of its value, as of an endpoint's secret: what a
-- workspace file says and compares. Both null: handed in as a document, or made before this; it is in no workspace until it is imported again.
alter table calendar_import
  add column url_source text,
  add column url_fingerprint text;
