-- breaking: no
-- Which actions a principal was allowed and used. token_id: by that token; null: by sessions. Written at most once a day for each, and server.
create table access_use (
  principal_id bigint not null references principal on delete cascade,
  token_id bigint references api_token on delete cascade,
  action text not null,
  first_used_on date not null,
  last_used_on date not null,
  unique nulls not distinct (principal_id, token_id, action)
);

-- A campaign: everybody of some kinds is looked at once, and decided on by somebody else.
create table access_review (
  id bigint generated always as identity primary key,
  title text not null,
  subjects text[] not null,
  -- So long without use is unused; over so long what is needed is seen.
  unused_days integer not null,
  -- Names of accounts; none: whoever may change tokens.
  reviewers text[] not null,
  due_at timestamptz(3) not null,
  reason text,
  opened_by text not null,
  opened_at timestamptz(3) not null default app_now(),
  overdue_told_at timestamptz(3),
  -- From here on nothing more is decided; the decisions are being carried out.
  closing_at timestamptz(3),
  closed_by text,
  closed_at timestamptz(3),
  -- The entry of the audit trail that has the hash of the evidence.
  closed_entry_id bigint,
  check (closed_at is null or (closing_at is not null and closed_by is not null and closed_entry_id is not null))
);
create index access_review_due on access_review (due_at) where closing_at is null and overdue_told_at is null;

create table access_review_item (
  id bigint generated always as identity primary key,
  review_id bigint not null references access_review,
  subject text not null check (subject in ('person', 'service', 'token')),
  -- The numbers outlive what they name.
  principal_id bigint not null,
  token_id bigint,
  -- What there was to decide on, at the opening: grants, last use, used actions, suggestions. Never changed.
  snapshot jsonb not null,
  -- Something is suggested to be decided.
  suggested boolean generated always as (jsonb_path_exists(snapshot, '$.suggestions[*] ? (@.decision != null)')) stored,
  decision text check (decision in ('keep', 'narrow', 'revoke')),
  grants jsonb,
  reason text,
  decided_by text,
  decided_at timestamptz(3),
  outcome text check (outcome in ('kept', 'narrowed', 'revoked', 'gone', 'changed')),
  applied_at timestamptz(3),
  unique nulls not distinct (review_id, subject, principal_id, token_id)
);
create index access_review_item_counts on access_review_item (review_id) include (decision, suggested);

-- Evidence: what was seen is never changed, and after the close nothing is.
create function refuse_review_change() returns trigger language plpgsql as $$
declare
  review bigint;
begin
  if tg_table_name = 'access_review' then
    review := old.id;
    if old.closed_at is null and tg_op = 'UPDATE' then
      return new;
    end if;
  else
    review := old.review_id;
    if tg_op = 'UPDATE'
      and (new.review_id, new.subject, new.principal_id, new.token_id, new.snapshot) is not distinct from (old.review_id, old.subject, old.principal_id, old.token_id, old.snapshot)
      and not exists (select from access_review where id = review and closed_at is not null) then
      return new;
    end if;
  end if;
  raise exception 'The evidence of access review % may not be changed or deleted.', review using errcode = 'restrict_violation';
end
$$;
create trigger access_review_is_evidence before update or delete on access_review for each row execute function refuse_review_change();
create trigger access_review_item_is_evidence before update or delete on access_review_item for each row execute function refuse_review_change();
