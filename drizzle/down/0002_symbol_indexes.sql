-- Undo of 0002_symbol_indexes: drops the nine indexes. No data is lost.
--
-- Locks:  SHARE UPDATE EXCLUSIVE on one table at a time; reads and writes go on. Each drop waits for transactions that
--         may still use the index, and is in nobody's way meanwhile.
-- Runs:   outside a transaction, statement by statement; run it again if it was interrupted. The journal row goes first:
--         half way, the migration is pending. At once with another migration of this database: refuses.
--
-- With psql: psql -v ON_ERROR_STOP=1 -f. Without it psql goes on after a refusal.

call multi_pair_db.enter('down/0002_symbol_indexes');--> statement-breakpoint
call multi_pair_db.rest();--> statement-breakpoint
call multi_pair_db.forget('0002_symbol_indexes', 1795392595000);--> statement-breakpoint

drop index concurrently if exists idx_fills_unique_dedup;--> statement-breakpoint
drop index concurrently if exists idx_fills_unique_dedup__broken;--> statement-breakpoint
drop index concurrently if exists idx_fills_unique_dedup__set_aside;--> statement-breakpoint

drop index concurrently if exists idx_orders_session_symbol;--> statement-breakpoint
drop index concurrently if exists idx_orders_session_symbol__broken;--> statement-breakpoint
drop index concurrently if exists idx_orders_session_symbol__set_aside;--> statement-breakpoint

drop index concurrently if exists idx_fills_session_symbol;--> statement-breakpoint
drop index concurrently if exists idx_fills_session_symbol__broken;--> statement-breakpoint
drop index concurrently if exists idx_fills_session_symbol__set_aside;--> statement-breakpoint

drop index concurrently if exists idx_fills_session_order_symbol;--> statement-breakpoint
drop index concurrently if exists idx_fills_session_order_symbol__broken;--> statement-breakpoint
drop index concurrently if exists idx_fills_session_order_symbol__set_aside;--> statement-breakpoint

drop index concurrently if exists idx_sessions_pair_count;--> statement-breakpoint
drop index concurrently if exists idx_sessions_pair_count__broken;--> statement-breakpoint
drop index concurrently if exists idx_sessions_pair_count__set_aside;--> statement-breakpoint

drop index concurrently if exists idx_sessions_pairs_gin;--> statement-breakpoint
drop index concurrently if exists idx_sessions_pairs_gin__broken;--> statement-breakpoint
drop index concurrently if exists idx_sessions_pairs_gin__set_aside;--> statement-breakpoint

drop index concurrently if exists idx_sessions_settlement_discovery;--> statement-breakpoint
drop index concurrently if exists idx_sessions_settlement_discovery__broken;--> statement-breakpoint
drop index concurrently if exists idx_sessions_settlement_discovery__set_aside;--> statement-breakpoint

drop index concurrently if exists idx_orders_symbol_status;--> statement-breakpoint
drop index concurrently if exists idx_orders_symbol_status__broken;--> statement-breakpoint
drop index concurrently if exists idx_orders_symbol_status__set_aside;--> statement-breakpoint

drop index concurrently if exists idx_fills_symbol_timestamp;--> statement-breakpoint
drop index concurrently if exists idx_fills_symbol_timestamp__broken;--> statement-breakpoint
drop index concurrently if exists idx_fills_symbol_timestamp__set_aside;--> statement-breakpoint

call multi_pair_db.leave();
