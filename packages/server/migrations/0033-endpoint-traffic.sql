-- breaking: no
-- What is known of the calls to an endpoint, over all integrations and servers. No row: nothing has gone wrong yet. See core/connectors/breaker.ts.
create table endpoint_breaker (
  endpoint_id integer primary key references endpoint on delete cascade,
  failures integer not null default 0 check (failures >= 0),
  pauses integer not null default 0 check (pauses >= 0),
  -- Set while the breaker is open.
  probe_at timestamptz(3),
  -- One server probes at a time; another takes over when this is past.
  probe_lease_until timestamptz(3),
  opened_at timestamptz(3),
  delayed_until timestamptz(3),
  -- What the last call that failed said, without secrets.
  reason text,
  updated_at timestamptz(3) not null default app_now()
);
create index endpoint_breaker_probe on endpoint_breaker (probe_at) where probe_at is not null;

-- The next free moment for a request to an endpoint whose connector names a rate, in epoch milliseconds by the database's clock: servers reserve
-- moments ahead of it. Finer than a column of time may be here.
create table endpoint_pace (
  endpoint_id integer primary key references endpoint on delete cascade,
  next_at_ms double precision not null
);

-- How many requests a server has under way at an endpoint whose connector names a concurrency. A server that died gives them back when its lease ends.
create table endpoint_slot (
  endpoint_id integer not null references endpoint on delete cascade,
  server_id uuid not null,
  held integer not null check (held >= 0),
  lease_until timestamptz(3) not null,
  primary key (endpoint_id, server_id)
);

create function epoch_ms(p_at timestamptz) returns double precision language sql immutable as $$ select extract(epoch from p_at)::double precision * 1000 $$;

-- Reserves moments for p_count requests, p_interval_ms apart: how long to wait for the first; null when that would be longer than p_max_wait_ms.
create function reserve_requests(p_endpoint integer, p_count integer, p_interval_ms double precision, p_max_wait_ms double precision)
returns double precision
language plpgsql volatile
as $$
declare
  v_now double precision := epoch_ms(clock_timestamp());
  v_first double precision;
begin
  insert into endpoint_pace (endpoint_id, next_at_ms) values (p_endpoint, v_now) on conflict do nothing;
  -- Locked before the clock is read again: who waited here must not reserve what is past.
  perform from endpoint_pace where endpoint_id = p_endpoint for update;
  v_now := epoch_ms(clock_timestamp());
  update endpoint_pace set next_at_ms = greatest(next_at_ms, v_now) + p_count * p_interval_ms
  where endpoint_id = p_endpoint and greatest(next_at_ms, v_now) - v_now <= p_max_wait_ms
  returning next_at_ms - p_count * p_interval_ms into v_first;
  return case when v_first is null then null else greatest(0, v_first - v_now) end;
end
$$;

-- One more request under way, if all servers together have fewer than p_most.
create function take_request_slot(p_endpoint integer, p_server uuid, p_most integer, p_lease interval)
returns boolean
language plpgsql volatile
as $$
begin
  -- One row an endpoint to wait at: counting and taking are one step.
  insert into endpoint_pace (endpoint_id, next_at_ms) values (p_endpoint, 0) on conflict do nothing;
  perform from endpoint_pace where endpoint_id = p_endpoint for update;
  delete from endpoint_slot where endpoint_id = p_endpoint and lease_until < clock_timestamp();
  if (select coalesce(sum(held), 0) from endpoint_slot where endpoint_id = p_endpoint) >= p_most then
    return false;
  end if;
  insert into endpoint_slot as s (endpoint_id, server_id, held, lease_until) values (p_endpoint, p_server, 1, clock_timestamp() + p_lease)
  on conflict (endpoint_id, server_id) do update set held = s.held + 1, lease_until = excluded.lease_until;
  return true;
end
$$;
