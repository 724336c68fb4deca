-- Undo of 0002_symbol_indexes: drops the nine indexes. No data is lost.
--
-- Locks:  SHARE UPDATE EXCLUSIVE on one table at a time; reads and writes go on. Each drop waits for transactions that
--         may still use the index, and is in nobody's way meanwhile.
-- Runs:   outside a transaction, statement by statement; run it again if it was interrupted. At once with another
--         migration of this database: refuses. The journal row is the runner's to delete: `multi-pair-db rollback 002`
--         runs this file and does so.
--
-- With psql: psql -v ON_ERROR_STOP=1 -f. Without it psql goes on after a refusal.

do $refuse$
begin
  if not pg_try_advisory_lock(hashtextextended('multi-pair-db', 0)) then
    raise exception 'down/0002_symbol_indexes: another migration of this database is running; nothing was changed'
      using errcode = 'lock_not_available', hint = 'Wait until it has ended, then run again.';
  end if;
end
$refuse$;
--> statement-breakpoint
do $settings$
begin
  -- A drop that is cut short leaves an INVALID index behind.
  perform set_config(s.name, '0', false)
  from pg_settings as s
  where s.name in ('lock_timeout', 'statement_timeout', 'transaction_timeout', 'idle_in_transaction_session_timeout');
end
$settings$;
--> statement-breakpoint
set client_min_messages = warning;
--> statement-breakpoint
drop index concurrently if exists idx_fills_unique_dedup;
--> statement-breakpoint
drop index concurrently if exists idx_orders_session_symbol;
--> statement-breakpoint
drop index concurrently if exists idx_fills_session_symbol;
--> statement-breakpoint
drop index concurrently if exists idx_fills_session_order_symbol;
--> statement-breakpoint
drop index concurrently if exists idx_sessions_pair_count;
--> statement-breakpoint
drop index concurrently if exists idx_sessions_pairs_gin;
--> statement-breakpoint
drop index concurrently if exists idx_sessions_settlement_discovery;
--> statement-breakpoint
drop index concurrently if exists idx_orders_symbol_status;
--> statement-breakpoint
drop index concurrently if exists idx_fills_symbol_timestamp;
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
do $settings$
declare
  setting text;
begin
  for setting in
    select name
    from pg_settings
    where name in ('lock_timeout', 'statement_timeout', 'transaction_timeout', 'idle_in_transaction_session_timeout')
  loop
    execute format('reset %I', setting);
  end loop;
  perform pg_advisory_unlock(hashtextextended('multi-pair-db', 0));
end
$settings$;
