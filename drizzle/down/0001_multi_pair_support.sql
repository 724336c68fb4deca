-- Undo of 0001_multi_pair_support: drops the three columns, and the triggers with their functions.
--
-- DATA LOSS: the columns sessions.pairs, sessions.pair_count and orders.pair_index go, for every service. What symbol and
--         tradingpair can't give back is put aside first, in multi_pair_db.undo_sessions and multi_pair_db.undo_orders; a
--         later 0001 gives it back where nothing else has changed.
-- Locks:  ACCESS EXCLUSIVE on both tables, twice, for some milliseconds each, in one message: first to note what changes
--         from then on; last to drop the columns. Between the two the values are put aside without a lock, and what has
--         changed meanwhile is taken up, in batches: under the second lock only the last of it.
--         Waits 50 ms at most for each, so that nobody queues longer, and tries again.
-- Runs:   in several transactions; the last one drops the columns and takes the journal row away, all or nothing. Broken
--         off before it, nothing is undone: run it again. Refuses while 0002 is there, or another migration is running.
--
-- With psql: psql -v ON_ERROR_STOP=1 -f.

call multi_pair_db.enter('down/0001_multi_pair_support');
--> statement-breakpoint
call multi_pair_db.rest();
--> statement-breakpoint
do $note_changes$
begin
  if to_regclass('idx_sessions_pairs_gin') is not null or to_regclass('idx_sessions_pair_count') is not null then
    raise exception 'down/0001_multi_pair_support: the indexes of 0002_symbol_indexes are still there; nothing was changed'
      using errcode = 'dependent_objects_still_exist', hint = 'Run down/0002_symbol_indexes.sql first.';
  end if;

  -- Drafts: what stands in undo_sessions and undo_orders is of an undo that has ended.
  drop table if exists multi_pair_db.undo_sessions_draft, multi_pair_db.undo_orders_draft;
  create table multi_pair_db.undo_sessions_draft (id text primary key, pairs jsonb not null, symbol text, tradingpair text, owed boolean not null default false);
  create table multi_pair_db.undo_orders_draft (id text primary key, pair_index integer, symbol text, sessionid text, owed boolean not null default false);

  -- Services write as their own roles, which have no rights in this schema.
  create or replace function multi_pair_db.note_change() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $function$
  begin
    insert into multi_pair_db.undo_changes (table_name, id)
    select distinct tg_table_name, id
    from unnest(array[old.id, new.id]) as id
    where id is not null;
    return null;
  end
  $function$;

  -- Takes changes up, and says how many. Each change has a row of its own, which is seen once it is committed: what is under
  -- way is left for a later call. Sessions and orders are read after that, so what is read is at least as new.
  create or replace procedure multi_pair_db.take_up_changes(most_rows integer, inout taken_rows integer)
  language plpgsql as $procedure$
  declare
    session_ids text[];
    order_ids text[];
  begin
    with taken as (
      delete from multi_pair_db.undo_changes
      where position = any (array(select position from multi_pair_db.undo_changes order by position limit most_rows))
      returning table_name, id
    )
    select count(*), array_agg(distinct id) filter (where table_name = 'sessions'),
           array_agg(distinct id) filter (where table_name = 'orders')
    into taken_rows, session_ids, order_ids
    from taken;

    if session_ids is not null then
      delete from multi_pair_db.undo_sessions_draft as u
      where u.id = any (session_ids)
        -- What an earlier undo has put aside is still to be given back where its session is what it was.
        and not (u.owed and exists (
          select from sessions as s
          where s.id = u.id and s.symbol is not distinct from u.symbol and s.tradingpair is not distinct from u.tradingpair
            and s.pairs in ('[]', jsonb_build_array(coalesce(nullif(s.symbol, ''), nullif(s.tradingpair, ''))))));

      insert into multi_pair_db.undo_sessions_draft (id, pairs, symbol, tradingpair)
      select id, pairs, symbol, tradingpair
      from sessions
      where id = any (session_ids)
        and pairs <> case
          when coalesce(nullif(symbol, ''), nullif(tradingpair, '')) is null then '[]'
          else jsonb_build_array(coalesce(nullif(symbol, ''), nullif(tradingpair, '')))
        end
      on conflict (id) do update
      set pairs = excluded.pairs, symbol = excluded.symbol, tradingpair = excluded.tradingpair, owed = false;
    end if;

    if order_ids is not null then
      delete from multi_pair_db.undo_orders_draft as u
      where u.id = any (order_ids)
        and not (u.owed and exists (
          select from orders as o
          where o.id = u.id and o.symbol is not distinct from u.symbol and o.sessionid is not distinct from u.sessionid
            and o.pair_index = 0));

      insert into multi_pair_db.undo_orders_draft (id, pair_index, symbol, sessionid)
      select id, pair_index, symbol, sessionid
      from orders
      where id = any (order_ids) and pair_index is distinct from 0
      on conflict (id) do update
      set pair_index = excluded.pair_index, symbol = excluded.symbol, sessionid = excluded.sessionid, owed = false;
    end if;
  end
  $procedure$;

  call multi_pair_db.lock_briefly('sessions', 'orders');

  -- Not before: an undo that was broken off has left its triggers, by which whoever writes to the two tables writes here as
  -- well. He would wait for this one, and we in vain for his tables.
  drop table if exists multi_pair_db.undo_changes;
  create table multi_pair_db.undo_changes (position bigint generated always as identity primary key, table_name text not null, id text not null);

  if exists (select from pg_attribute where attrelid = to_regclass('sessions') and attname = 'pairs' and not attisdropped) then
    create or replace trigger trg_multi_pair_db_note_change after insert or delete on sessions
      for each row execute function multi_pair_db.note_change();
    create or replace trigger trg_multi_pair_db_note_update after update on sessions
      for each row
      when ((old.id, old.pairs, old.symbol, old.tradingpair) is distinct from (new.id, new.pairs, new.symbol, new.tradingpair))
      execute function multi_pair_db.note_change();
  end if;
  if exists (select from pg_attribute where attrelid = to_regclass('orders') and attname = 'pair_index' and not attisdropped) then
    create or replace trigger trg_multi_pair_db_note_change after insert or delete on orders
      for each row execute function multi_pair_db.note_change();
    create or replace trigger trg_multi_pair_db_note_update after update on orders
      for each row
      when ((old.id, old.pair_index, old.symbol, old.sessionid) is distinct from (new.id, new.pair_index, new.symbol, new.sessionid))
      execute function multi_pair_db.note_change();
  end if;

  -- Broken off by a superuser, it is run again or cleared by the owner.
  call multi_pair_db.keep_one_owner();
end
$note_changes$;
--> statement-breakpoint
do $put_aside$
begin
  perform multi_pair_db.entered();

  if exists (select from pg_attribute where attrelid = to_regclass('sessions') and attname = 'pairs' and not attisdropped) then
    if exists (
      select from sessions
      where jsonb_typeof(pairs) <> 'array' or jsonb_path_exists(pairs, 'strict $[*] ? (@.type() != "string")', '{}', true)
    ) then
      raise exception 'down/0001_multi_pair_support: pairs of some sessions are no array of strings; nothing was undone'
        using errcode = 'check_violation', hint = 'Repair them first: 0001 could not give them back.';
    end if;

    insert into multi_pair_db.undo_sessions_draft (id, pairs, symbol, tradingpair)
    select id, pairs, symbol, tradingpair
    from sessions
    where pairs <> case
      when coalesce(nullif(symbol, ''), nullif(tradingpair, '')) is null then '[]'
      else jsonb_build_array(coalesce(nullif(symbol, ''), nullif(tradingpair, '')))
    end;
  end if;

  if exists (select from pg_attribute where attrelid = to_regclass('orders') and attname = 'pair_index' and not attisdropped) then
    insert into multi_pair_db.undo_orders_draft (id, pair_index, symbol, sessionid)
    select id, pair_index, symbol, sessionid
    from orders
    where pair_index is distinct from 0;
  end if;

  -- What an earlier undo has put aside and 0001 has not given back yet: the tables do not say it any more.
  if to_regclass('multi_pair_db.undo_sessions') is not null then
    insert into multi_pair_db.undo_sessions_draft (id, pairs, symbol, tradingpair, owed)
    select id, pairs, symbol, tradingpair, true from multi_pair_db.undo_sessions
    on conflict do nothing;
  end if;
  if to_regclass('multi_pair_db.undo_orders') is not null then
    insert into multi_pair_db.undo_orders_draft (id, pair_index, symbol, sessionid, owed)
    select id, pair_index, symbol, sessionid, true from multi_pair_db.undo_orders
    on conflict do nothing;
  end if;
end
$put_aside$;
--> statement-breakpoint
do $undo$
declare
  -- 1,000 take about 10 ms. At the end so many may be left for the time under the lock, in which everybody waits.
  batch_rows constant integer := 1000;
  taken_rows integer;
begin
  perform multi_pair_db.entered();

  loop
    loop
      call multi_pair_db.take_up_changes(batch_rows, taken_rows);
      call multi_pair_db.rest();
      exit when taken_rows < batch_rows;
    end loop;
    call multi_pair_db.lock_briefly('sessions', 'orders');
    call multi_pair_db.take_up_changes(batch_rows, taken_rows);
    exit when taken_rows < batch_rows;
    -- More than that have come while it waited for the lock.
    commit;
  end loop;

  drop trigger if exists trg_multi_pair_db_note_change on sessions;
  drop trigger if exists trg_multi_pair_db_note_change on orders;
  drop trigger if exists trg_multi_pair_db_note_update on sessions;
  drop trigger if exists trg_multi_pair_db_note_update on orders;
  drop function if exists multi_pair_db.note_change();
  drop procedure if exists multi_pair_db.take_up_changes(integer, integer);
  drop trigger if exists trg_sessions_sync_pairs on sessions;
  drop trigger if exists trg_sessions_renumber_orders on sessions;
  drop trigger if exists trg_orders_set_pair_index on orders;
  drop function if exists multi_pair_db.sessions_sync_pairs(), multi_pair_db.sessions_renumber_orders(),
    multi_pair_db.orders_set_pair_index();
  alter table sessions
    drop constraint if exists sessions_pairs_is_array_of_strings,
    drop column if exists pairs,
    drop column if exists pair_count;
  alter table orders drop column if exists pair_index;

  drop table if exists multi_pair_db.undo_sessions, multi_pair_db.undo_orders, multi_pair_db.undo_changes;
  alter table multi_pair_db.undo_sessions_draft rename to undo_sessions;
  alter table multi_pair_db.undo_orders_draft rename to undo_orders;
  call multi_pair_db.forget('0001_multi_pair_support', 1795392594000);
end
$undo$;
--> statement-breakpoint
do $report$
begin
  raise info 'down/0001_multi_pair_support: put aside the pairs of % sessions and the pair indexes of % orders',
    (select count(*) from multi_pair_db.undo_sessions), (select count(*) from multi_pair_db.undo_orders);
end
$report$;
--> statement-breakpoint
call multi_pair_db.leave();
