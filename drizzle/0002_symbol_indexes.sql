-- 0002_symbol_indexes: the nine indexes of the multi-pair queries, each valid and as defined.
--
-- What:   sets aside (renames) an index of ours that is INVALID or defined otherwise, builds what is missing, drops what
--         was set aside, and ends in an error unless all nine are valid and as defined. The unique one comes first: if
--         there are duplicate fills, it fails before the others have cost anything. A valid index that was set aside
--         (__set_aside) serves, and guards its rows, until its successor stands; a broken one (__broken) goes first.
-- Locks:  SHARE UPDATE EXCLUSIVE on one table at a time: reads and writes go on. Each build waits for transactions
--         that were open when it began, for as long as they take, and is in nobody's way meanwhile.
-- Runs:   ends the runner's transaction, works outside one, opens a new one for the journal row. Killed half way, it is
--         finished by the next run. At once with another migration, or while one of the nine is being built: refuses.
-- Undo:   drizzle/down/0002_symbol_indexes.sql. No data is lost.
--
-- Run it on a connection of its own: where it fails, its lock and its settings last as long as the connection.
-- With psql: psql -v ON_ERROR_STOP=1 -f. Without it psql goes on after a refusal.

do $refuse$
declare
  faults text;
begin
  -- The session's lock: the work below is many transactions. It is handed to the last transaction at the end.
  if not pg_try_advisory_lock(hashtextextended('multi-pair-db', 0)) then
    raise exception '0002_symbol_indexes: another migration of this database is running; nothing was changed'
      using errcode = 'lock_not_available', hint = 'Wait until it has ended, then run again.';
  end if;

  -- See 0000: a runner that read the journal too early would record the file twice.
  if now() < statement_timestamp() and to_regclass('drizzle.__drizzle_migrations') is not null then
    if exists (select from drizzle.__drizzle_migrations where created_at >= 1795392595164) then
      raise exception '0002_symbol_indexes: another run has applied it in the meantime; nothing was changed'
        using errcode = 'object_not_in_prerequisite_state', hint = 'Run again: what is done is then skipped.';
    end if;
  end if;

  if to_regclass('fills') is null or not exists (
    select from pg_attribute where attrelid = to_regclass('sessions') and attname = 'pairs' and not attisdropped
  ) then
    raise exception '0002_symbol_indexes: sessions.pairs is missing; nothing was changed'
      using errcode = 'undefined_column', hint = 'Run 0001_multi_pair_support first, or check that this is the right database.';
  end if;

  -- What the nine are, as pg_get_indexdef words it after USING: [table, unique, definition]. Three blocks below read it.
  perform set_config('multi_pair_db.indexes', '{
    "idx_fills_unique_dedup": ["fills", true, "btree (COALESCE(sessionid, ''''::text), COALESCE(orderid, ''''::text), symbol, \"timestamp\", price, COALESCE(size, amount), COALESCE(execid, (tradeid)::text, ''''::text))"],
    "idx_orders_session_symbol": ["orders", false, "btree (sessionid, symbol)"],
    "idx_fills_session_symbol": ["fills", false, "btree (sessionid, symbol)"],
    "idx_fills_session_order_symbol": ["fills", false, "btree (sessionid, orderid, symbol)"],
    "idx_sessions_pair_count": ["sessions", false, "btree (pair_count)"],
    "idx_sessions_pairs_gin": ["sessions", false, "gin (pairs)"],
    "idx_sessions_settlement_discovery": ["sessions", false, "btree (startedat, id) WHERE ((settlesession = true) AND ((settledcomplete IS NULL) OR (settledcomplete = false)))"],
    "idx_orders_symbol_status": ["orders", false, "btree (symbol, status)"],
    "idx_fills_symbol_timestamp": ["fills", false, "btree (symbol, \"timestamp\", id)"]
  }', false);

  select string_agg(format('%I on %s', e.name, coalesce(x.indrelid::regclass::text, 'no table')), '; ')
  into faults
  from jsonb_each(current_setting('multi_pair_db.indexes')::jsonb) as e (name, spec)
  join pg_class as c on c.oid = to_regclass(e.name)
  left join pg_index as x on x.indexrelid = c.oid
  where x.indrelid is distinct from to_regclass(e.spec ->> 0)
    or exists (select from pg_constraint where conindid = c.oid);

  if faults is not null then
    raise exception '0002_symbol_indexes: these names belong to something that is not a plain index of its table: %', faults
      using errcode = 'duplicate_object', hint = 'Nothing was changed. Rename or drop it, then run again.';
  end if;

  -- "INVALID" may mean "still being built", also for a client that has been killed. Without pg_read_all_stats the index
  -- that another role builds is hidden; then any build on our tables counts.
  select string_agg(format('pid %s (%s)', b.pid, coalesce(s.application_name, 'unknown')), '; ')
  into faults
  from pg_stat_progress_create_index as b
  left join pg_class as c on c.oid = b.index_relid
  left join pg_stat_activity as s on s.pid = b.pid
  where b.pid <> pg_backend_pid()
    and b.datname = current_database()
    and (c.oid is null or current_setting('multi_pair_db.indexes')::jsonb ? c.relname::text)
    and exists (
      select from pg_locks as l
      where l.pid = b.pid and l.locktype = 'relation' and l.database = b.datid
        and l.relation in (to_regclass('sessions'), to_regclass('orders'), to_regclass('fills')));

  if faults is not null then
    raise exception '0002_symbol_indexes: an index of these tables is being built right now, by %', faults
      using errcode = 'object_in_use', hint = 'Nothing was changed. Wait until it has ended, then run again.';
  end if;

  -- The blocks below look for this: a refusal takes it back, and they refuse too where a client goes on regardless.
  perform set_config('multi_pair_db.running', '0002', false);
end
$refuse$;
--> statement-breakpoint
commit;
--> statement-breakpoint
do $settings$
begin
  -- A role's or host's time limits would leave an INVALID index behind, and so would a short lock timeout: a build that
  -- waits for an idle snapshot is in nobody's way.
  perform set_config(s.name, w.value, false)
  from (values ('lock_timeout', '0'), ('statement_timeout', '0'), ('transaction_timeout', '0'),
               ('idle_in_transaction_session_timeout', '0'),
               -- Definitions are compared as text.
               ('quote_all_identifiers', 'off'),
               -- Less for the disk and the replicas; a superuser's setting, so only where the role may.
               ('wal_compression', 'on')) as w (name, value)
  join pg_settings as s on s.name = w.name
  where s.context = 'user' or (s.setting = 'off' and has_parameter_privilege(s.name, 'set'));

  begin
    -- Without this the server builds on for a client that has been killed.
    perform set_config('client_connection_check_interval', '1s', false);
  exception
    when invalid_parameter_value then
      raise notice 'this platform cannot notice a client that is gone; a build would go on without it';
  end;
end
$settings$;
--> statement-breakpoint
-- "does not exist, skipping", again and again, would bury what matters.
set client_min_messages = warning;
--> statement-breakpoint
-- What an earlier run found broken and could not drop any more.
drop index concurrently if exists idx_fills_unique_dedup__broken;
--> statement-breakpoint
drop index concurrently if exists idx_orders_session_symbol__broken;
--> statement-breakpoint
drop index concurrently if exists idx_fills_session_symbol__broken;
--> statement-breakpoint
drop index concurrently if exists idx_fills_session_order_symbol__broken;
--> statement-breakpoint
drop index concurrently if exists idx_sessions_pair_count__broken;
--> statement-breakpoint
drop index concurrently if exists idx_sessions_pairs_gin__broken;
--> statement-breakpoint
drop index concurrently if exists idx_sessions_settlement_discovery__broken;
--> statement-breakpoint
drop index concurrently if exists idx_orders_symbol_status__broken;
--> statement-breakpoint
drop index concurrently if exists idx_fills_symbol_timestamp__broken;
--> statement-breakpoint
reset client_min_messages;
--> statement-breakpoint
do $set_aside$
declare
  fault record;
begin
  if current_setting('multi_pair_db.running', true) is distinct from '0002' then
    raise exception '0002_symbol_indexes: refused above; nothing more is done' using errcode = 'object_not_in_prerequisite_state';
  end if;

  for fault in
    select e.name,
           x.indisvalid and x.indisready and x.indislive and to_regclass(e.name || '__set_aside') is null as serves
    from jsonb_each(current_setting('multi_pair_db.indexes')::jsonb) as e (name, spec)
    join pg_index as x on x.indexrelid = to_regclass(e.name)
    where not (x.indisvalid and x.indisready and x.indislive)
      or x.indisunique is distinct from (e.spec ->> 1)::boolean
      or regexp_replace(pg_get_indexdef(x.indexrelid), '^.*? USING ', '') is distinct from e.spec ->> 2
  loop
    execute format('alter index %I rename to %I', fault.name, fault.name || case when fault.serves then '__set_aside' else '__broken' end);
    raise notice '0002_symbol_indexes: % is %', fault.name,
      case when fault.serves then 'defined otherwise; it serves until its successor stands' else 'INVALID, or spare; it is replaced' end;
  end loop;
end
$set_aside$;
--> statement-breakpoint
create unique index concurrently if not exists idx_fills_unique_dedup on fills (
  coalesce(sessionid, ''),
  coalesce(orderid, ''),
  symbol,
  "timestamp",
  price,
  coalesce(size, amount),
  coalesce(execid, tradeid::text, '')
);
--> statement-breakpoint
create index concurrently if not exists idx_orders_session_symbol on orders (sessionid, symbol);
--> statement-breakpoint
create index concurrently if not exists idx_fills_session_symbol on fills (sessionid, symbol);
--> statement-breakpoint
create index concurrently if not exists idx_fills_session_order_symbol on fills (sessionid, orderid, symbol);
--> statement-breakpoint
create index concurrently if not exists idx_sessions_pair_count on sessions (pair_count);
--> statement-breakpoint
create index concurrently if not exists idx_sessions_pairs_gin on sessions using gin (pairs);
--> statement-breakpoint
create index concurrently if not exists idx_sessions_settlement_discovery on sessions (startedat, id)
where settlesession = true and (settledcomplete is null or settledcomplete = false);
--> statement-breakpoint
create index concurrently if not exists idx_orders_symbol_status on orders (symbol, status);
--> statement-breakpoint
create index concurrently if not exists idx_fills_symbol_timestamp on fills (symbol, "timestamp", id);
--> statement-breakpoint
set client_min_messages = warning;
--> statement-breakpoint
drop index concurrently if exists idx_fills_unique_dedup__broken;
--> statement-breakpoint
drop index concurrently if exists idx_orders_session_symbol__broken;
--> statement-breakpoint
drop index concurrently if exists idx_fills_session_symbol__broken;
--> statement-breakpoint
drop index concurrently if exists idx_fills_session_order_symbol__broken;
--> statement-breakpoint
drop index concurrently if exists idx_sessions_pair_count__broken;
--> statement-breakpoint
drop index concurrently if exists idx_sessions_pairs_gin__broken;
--> statement-breakpoint
drop index concurrently if exists idx_sessions_settlement_discovery__broken;
--> statement-breakpoint
drop index concurrently if exists idx_orders_symbol_status__broken;
--> statement-breakpoint
drop index concurrently if exists idx_fills_symbol_timestamp__broken;
--> statement-breakpoint
drop index concurrently if exists idx_fills_unique_dedup__set_aside;
--> statement-breakpoint
drop index concurrently if exists idx_orders_session_symbol__set_aside;
--> statement-breakpoint
drop index concurrently if exists idx_fills_session_symbol__set_aside;
--> statement-breakpoint
drop index concurrently if exists idx_fills_session_order_symbol__set_aside;
--> statement-breakpoint
drop index concurrently if exists idx_sessions_pair_count__set_aside;
--> statement-breakpoint
drop index concurrently if exists idx_sessions_pairs_gin__set_aside;
--> statement-breakpoint
drop index concurrently if exists idx_sessions_settlement_discovery__set_aside;
--> statement-breakpoint
drop index concurrently if exists idx_orders_symbol_status__set_aside;
--> statement-breakpoint
drop index concurrently if exists idx_fills_symbol_timestamp__set_aside;
--> statement-breakpoint
reset client_min_messages;
--> statement-breakpoint
do $prove$
declare
  faults text;
begin
  if current_setting('multi_pair_db.running', true) is distinct from '0002' then
    raise exception '0002_symbol_indexes: refused above; nothing more is done' using errcode = 'object_not_in_prerequisite_state';
  end if;

  select string_agg(
    format('%s is %s', e.name, case
      when x.indexrelid is null then 'missing'
      when not (x.indisvalid and x.indisready and x.indislive) then 'INVALID'
      else 'defined otherwise'
    end), '; ' order by e.name)
  into faults
  from jsonb_each(current_setting('multi_pair_db.indexes')::jsonb) as e (name, spec)
  left join pg_index as x on x.indexrelid = to_regclass(e.name)
  where x.indexrelid is null
    or not (x.indisvalid and x.indisready and x.indislive)
    or x.indrelid is distinct from to_regclass(e.spec ->> 0)
    or x.indisunique is distinct from (e.spec ->> 1)::boolean
    or regexp_replace(pg_get_indexdef(x.indexrelid), '^.*? USING ', '') is distinct from e.spec ->> 2;

  if faults is not null then
    raise exception '0002_symbol_indexes: not all nine indexes are valid and as defined: %', faults
      using errcode = 'object_not_in_prerequisite_state', hint = 'What is built stays. Run again: it is mended then.';
  end if;
end
$prove$;
--> statement-breakpoint
do $settings$
declare
  setting text;
begin
  for setting in
    select name
    from pg_settings
    where name in ('lock_timeout', 'statement_timeout', 'transaction_timeout', 'idle_in_transaction_session_timeout',
                   'quote_all_identifiers', 'wal_compression', 'client_connection_check_interval')
      and (context = 'user' or has_parameter_privilege(name, 'set'))
  loop
    execute format('reset %I', setting);
  end loop;
  perform set_config('multi_pair_db.running', '', false);
end
$settings$;
--> statement-breakpoint
begin;
--> statement-breakpoint
do $handover$
begin
  -- The lock passes to the transaction that writes the journal row, and ends with it: no gap, and no lock that a pooled
  -- connection would keep.
  perform pg_try_advisory_xact_lock(hashtextextended('multi-pair-db', 0));
  perform pg_advisory_unlock(hashtextextended('multi-pair-db', 0));
end
$handover$;
