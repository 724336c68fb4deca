-- 0002_symbol_indexes: the nine indexes of the multi-pair queries, each valid and as defined.
--
-- What:   sets aside (renames) an index of ours that is INVALID or defined otherwise, builds what is missing, drops what
--         was set aside, and ends in an error unless all nine are valid and as defined. The unique one comes first: if
--         there are duplicate fills, it fails before the others have cost anything. A valid index that was set aside
--         (__set_aside) serves, and guards its rows, until its successor stands; a broken one (__broken) goes first.
-- Locks:  SHARE UPDATE EXCLUSIVE on one table at a time: reads and writes go on. Each build waits for transactions
--         that were open when it began, for as long as they take, and is in nobody's way meanwhile. Only after an undo of
--         0001 that broke off: ACCESS EXCLUSIVE on sessions and orders for some milliseconds, to drop what it has left.
-- Runs:   ends the runner's transaction, works outside one, opens a new one for the journal row. Killed half way, it is
--         finished by the next run. At once with another migration, or while one of the nine is being built: refuses.
-- Undo:   drizzle/down/0002_symbol_indexes.sql. No data is lost.
--
-- Run it on a connection of its own: where it fails, its lock and its settings last as long as the connection.
-- With psql: psql -v ON_ERROR_STOP=1 -f. Without it psql goes on after a refusal.

call multi_pair_db.enter('0002_symbol_indexes');--> statement-breakpoint
commit;--> statement-breakpoint
call multi_pair_db.require_column('sessions', 'pairs', '0001_multi_pair_support');--> statement-breakpoint
call multi_pair_db.clear_undo();--> statement-breakpoint

-- All nine are looked at before the first is built: what refuses one refuses at once.
call multi_pair_db.expect_index('idx_fills_unique_dedup', 'fills', 'unique btree (COALESCE(sessionid, ''''::text), COALESCE(orderid, ''''::text), symbol, COALESCE(lower(side), ''''::text), "timestamp", price, COALESCE(size, amount), COALESCE(execid, (tradeid)::text, ''''::text))');--> statement-breakpoint
call multi_pair_db.expect_index('idx_orders_session_symbol', 'orders', 'btree (sessionid, symbol)');--> statement-breakpoint
call multi_pair_db.expect_index('idx_fills_session_symbol', 'fills', 'btree (sessionid, symbol)');--> statement-breakpoint
call multi_pair_db.expect_index('idx_fills_session_order_symbol', 'fills', 'btree (sessionid, orderid, symbol)');--> statement-breakpoint
call multi_pair_db.expect_index('idx_sessions_pair_count', 'sessions', 'btree (pair_count)');--> statement-breakpoint
call multi_pair_db.expect_index('idx_sessions_pairs_gin', 'sessions', 'gin (pairs)');--> statement-breakpoint
call multi_pair_db.expect_index('idx_sessions_settlement_discovery', 'sessions', 'btree (startedat, id) WHERE ((settlesession = true) AND ((settledcomplete IS NULL) OR (settledcomplete = false)))');--> statement-breakpoint
call multi_pair_db.expect_index('idx_orders_symbol_status', 'orders', 'btree (symbol, status)');--> statement-breakpoint
call multi_pair_db.expect_index('idx_fills_symbol_timestamp', 'fills', 'btree (symbol, "timestamp", id)');--> statement-breakpoint

call multi_pair_db.rest();--> statement-breakpoint
drop index concurrently if exists idx_fills_unique_dedup__broken;--> statement-breakpoint
create unique index concurrently if not exists idx_fills_unique_dedup on fills (
  coalesce(sessionid, ''), coalesce(orderid, ''), symbol, coalesce(lower(side), ''), "timestamp", price,
  coalesce(size, amount), coalesce(execid, tradeid::text, ''));--> statement-breakpoint
drop index concurrently if exists idx_fills_unique_dedup__set_aside;--> statement-breakpoint

call multi_pair_db.rest();--> statement-breakpoint
drop index concurrently if exists idx_orders_session_symbol__broken;--> statement-breakpoint
create index concurrently if not exists idx_orders_session_symbol on orders (sessionid, symbol);--> statement-breakpoint
drop index concurrently if exists idx_orders_session_symbol__set_aside;--> statement-breakpoint

call multi_pair_db.rest();--> statement-breakpoint
drop index concurrently if exists idx_fills_session_symbol__broken;--> statement-breakpoint
create index concurrently if not exists idx_fills_session_symbol on fills (sessionid, symbol);--> statement-breakpoint
drop index concurrently if exists idx_fills_session_symbol__set_aside;--> statement-breakpoint

call multi_pair_db.rest();--> statement-breakpoint
drop index concurrently if exists idx_fills_session_order_symbol__broken;--> statement-breakpoint
create index concurrently if not exists idx_fills_session_order_symbol on fills (sessionid, orderid, symbol);--> statement-breakpoint
drop index concurrently if exists idx_fills_session_order_symbol__set_aside;--> statement-breakpoint

call multi_pair_db.rest();--> statement-breakpoint
drop index concurrently if exists idx_sessions_pair_count__broken;--> statement-breakpoint
create index concurrently if not exists idx_sessions_pair_count on sessions (pair_count);--> statement-breakpoint
drop index concurrently if exists idx_sessions_pair_count__set_aside;--> statement-breakpoint

call multi_pair_db.rest();--> statement-breakpoint
drop index concurrently if exists idx_sessions_pairs_gin__broken;--> statement-breakpoint
create index concurrently if not exists idx_sessions_pairs_gin on sessions using gin (pairs);--> statement-breakpoint
drop index concurrently if exists idx_sessions_pairs_gin__set_aside;--> statement-breakpoint

call multi_pair_db.rest();--> statement-breakpoint
drop index concurrently if exists idx_sessions_settlement_discovery__broken;--> statement-breakpoint
create index concurrently if not exists idx_sessions_settlement_discovery on sessions (startedat, id)
where settlesession = true and (settledcomplete is null or settledcomplete = false);--> statement-breakpoint
drop index concurrently if exists idx_sessions_settlement_discovery__set_aside;--> statement-breakpoint

call multi_pair_db.rest();--> statement-breakpoint
drop index concurrently if exists idx_orders_symbol_status__broken;--> statement-breakpoint
create index concurrently if not exists idx_orders_symbol_status on orders (symbol, status);--> statement-breakpoint
drop index concurrently if exists idx_orders_symbol_status__set_aside;--> statement-breakpoint

call multi_pair_db.rest();--> statement-breakpoint
drop index concurrently if exists idx_fills_symbol_timestamp__broken;--> statement-breakpoint
create index concurrently if not exists idx_fills_symbol_timestamp on fills (symbol, "timestamp", id);--> statement-breakpoint
drop index concurrently if exists idx_fills_symbol_timestamp__set_aside;--> statement-breakpoint

call multi_pair_db.prove('0002_symbol_indexes');--> statement-breakpoint
begin;--> statement-breakpoint
call multi_pair_db.hand_over();
