-- Undo of 0001_multi_pair_support: drops the three columns, the trigger and its function.
--
-- DATA LOSS: the pairs of multi-pair sessions and the pair indexes of their orders are gone for every service. What
--         symbol and tradingpair cannot give back is put aside first, in multi_pair_undo_sessions (id, pairs) and
--         multi_pair_undo_orders (id, pair_index); 0001 gives it back when it runs again.
-- Locks:  none while the values are put aside. Then ACCESS EXCLUSIVE on both tables, for one scan of each: it takes up
--         what has changed meanwhile. Waits 50 ms at most for that lock, so that nobody queues longer, and tries again.
-- Runs:   in one transaction, all or nothing; refuses while 0002 is there, or another migration is running. The
--         journal row is the runner's to delete: `multi-pair-db rollback 001` runs this file and does so.
--
-- With psql: psql -v ON_ERROR_STOP=1 -f.

set statement_timeout = 0;
--> statement-breakpoint
do $undo$
declare
  tries integer := 0;
  has_pairs constant boolean := exists (
    select from pg_attribute where attrelid = to_regclass('sessions') and attname = 'pairs' and not attisdropped);
  has_pair_index constant boolean := exists (
    select from pg_attribute where attrelid = to_regclass('orders') and attname = 'pair_index' and not attisdropped);
  -- What an earlier undo put aside and 0001 has not given back yet: the tables do not say it any more.
  owed_sessions text[];
  owed_orders text[];
begin
  if not pg_try_advisory_xact_lock(hashtextextended('multi-pair-db', 0)) then
    raise exception 'down/0001_multi_pair_support: another migration of this database is running; nothing was changed'
      using errcode = 'lock_not_available', hint = 'Wait until it has ended, then run again.';
  end if;

  if to_regclass('idx_sessions_pairs_gin') is not null or to_regclass('idx_sessions_pair_count') is not null then
    raise exception 'down/0001_multi_pair_support: the indexes of 0002_symbol_indexes are still there; nothing was changed'
      using errcode = 'dependent_objects_still_exist', hint = 'Run down/0002_symbol_indexes.sql first.';
  end if;

  create table if not exists multi_pair_undo_sessions (id text primary key, pairs jsonb not null);
  create table if not exists multi_pair_undo_orders (id text primary key, pair_index integer);
  owed_sessions := array(select id from multi_pair_undo_sessions);
  owed_orders := array(select id from multi_pair_undo_orders);

  loop
    begin
      -- The first time without a lock, which takes as long as it takes; then, under it, what has changed meanwhile.
      if tries > 0 then
        -- First a lock that is in no reader's or writer's way: an autovacuum gives it up, but only to who waits longer
        -- than deadlock_timeout, which is 1 s.
        perform set_config('lock_timeout', '3s', true);
        lock table sessions, orders in share update exclusive mode;
        perform set_config('lock_timeout', '50ms', true);
        lock table sessions, orders in access exclusive mode;
      end if;

      if has_pairs then
        if exists (
          select from sessions
          where jsonb_typeof(pairs) <> 'array' or jsonb_path_exists(pairs, 'strict $[*] ? (@.type() != "string")', '{}', true)
        ) then
          raise exception 'down/0001_multi_pair_support: pairs of some sessions are no array of strings; nothing was changed'
            using errcode = 'check_violation', hint = 'Mend them first: 0001 could not give them back.';
        end if;

        insert into multi_pair_undo_sessions as u (id, pairs)
        select id, pairs
        from sessions
        where pairs <> case
          when coalesce(nullif(symbol, ''), nullif(tradingpair, '')) is null then '[]'
          else jsonb_build_array(coalesce(nullif(symbol, ''), nullif(tradingpair, '')))
        end
        on conflict (id) do update set pairs = excluded.pairs where u.pairs <> excluded.pairs;
      end if;

      if has_pair_index then
        insert into multi_pair_undo_orders as u (id, pair_index)
        select id, pair_index
        from orders
        where pair_index is distinct from 0
        on conflict (id) do update set pair_index = excluded.pair_index where u.pair_index is distinct from excluded.pair_index;
      end if;

      if tries > 0 then
        -- What symbol has come to give back between the two.
        if has_pairs then
          delete from multi_pair_undo_sessions as u
          using sessions as s
          where s.id = u.id and s.pairs is distinct from u.pairs and u.id <> all (owed_sessions);
        end if;
        if has_pair_index then
          delete from multi_pair_undo_orders as u
          using orders as o
          where o.id = u.id and o.pair_index is distinct from u.pair_index and u.id <> all (owed_orders);
        end if;

        drop trigger if exists trg_sessions_sync_pairs on sessions;
        drop function if exists sessions_sync_pairs();
        alter table sessions
          drop constraint if exists sessions_pairs_is_array_of_strings,
          drop column if exists pairs,
          drop column if exists pair_count;
        alter table orders drop column if exists pair_index;
        exit;
      end if;
    exception
      when lock_not_available then
        if tries >= 300 then
          raise exception 'down/0001_multi_pair_support: could not lock sessions and orders in % tries; nothing was changed', tries
            using errcode = 'lock_not_available', hint = 'Let long transactions end, then run again.';
        end if;
        perform pg_sleep(0.2 + random() * 0.2);
    end;
    tries := tries + 1;
  end loop;
end
$undo$;
--> statement-breakpoint
reset statement_timeout;
