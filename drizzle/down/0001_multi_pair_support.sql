-- Undo of 0001_multi_pair_support: drops the three columns, the trigger and its function.
--
-- DATA LOSS: the pairs of multi-pair sessions and the pair indexes of their orders are gone for every service. What
--         symbol and tradingpair cannot give back is put aside first, in multi_pair_undo_sessions (id, pairs) and
--         multi_pair_undo_orders (id, pair_index); 0001 gives it back when it runs again.
-- Locks:  SHARE ROW EXCLUSIVE on both tables while the values are put aside: readers go on, writers wait for one scan
--         of each. Then ACCESS EXCLUSIVE for some milliseconds. Waits 200 ms at most for each lock and tries again.
-- Runs:   in one transaction, all or nothing; refuses while 0002 is there, or another migration is running. The
--         journal row is the runner's to delete: `multi-pair-db rollback 001` runs this file and does so.

do $undo$
declare
  tries integer := 0;
begin
  if not pg_try_advisory_xact_lock(hashtextextended('multi-pair-db', 0)) then
    raise exception 'down/0001_multi_pair_support: another migration of this database is running; nothing was changed'
      using errcode = 'lock_not_available', hint = 'Wait until it has ended, then run again.';
  end if;

  if to_regclass('idx_sessions_pairs_gin') is not null or to_regclass('idx_sessions_pair_count') is not null then
    raise exception 'down/0001_multi_pair_support: the indexes of 0002_symbol_indexes are still there; nothing was changed'
      using errcode = 'dependent_objects_still_exist', hint = 'Run down/0002_symbol_indexes.sql first.';
  end if;

  loop
    tries := tries + 1;
    perform set_config('lock_timeout', '200ms', true);
    begin
      lock table sessions, orders in share row exclusive mode;

      create table if not exists multi_pair_undo_sessions (id text primary key, pairs jsonb not null);
      create table if not exists multi_pair_undo_orders (id text primary key, pair_index integer);

      -- Rows of an earlier undo that 0001 has not given back yet are older than what the tables say now.
      insert into multi_pair_undo_sessions (id, pairs)
      select id, pairs
      from sessions
      where pairs <> case
        when coalesce(nullif(symbol, ''), nullif(tradingpair, '')) is null then '[]'
        else jsonb_build_array(coalesce(nullif(symbol, ''), nullif(tradingpair, '')))
      end
      on conflict (id) do update set pairs = excluded.pairs;

      insert into multi_pair_undo_orders (id, pair_index)
      select id, pair_index
      from orders
      where pair_index is distinct from 0
      on conflict (id) do update set pair_index = excluded.pair_index;

      drop trigger if exists trg_sessions_sync_pairs on sessions;
      drop function if exists sessions_sync_pairs();
      alter table sessions
        drop constraint if exists sessions_pairs_is_array_of_strings,
        drop column if exists pairs,
        drop column if exists pair_count;
      alter table orders drop column if exists pair_index;
      exit;
    exception
      when lock_not_available then
        if tries >= 300 then
          raise exception 'down/0001_multi_pair_support: could not lock sessions and orders in % tries; nothing was changed', tries
            using errcode = 'lock_not_available', hint = 'Let long transactions end, then run again.';
        end if;
    end;
    perform pg_sleep(0.2 + random() * 0.2);
  end loop;
end
$undo$;
