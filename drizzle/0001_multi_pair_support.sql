-- 0001_multi_pair_support: sessions.pairs, sessions.pair_count, orders.pair_index, filled for every existing session.
--
-- What:   adds the three columns, the rule that pairs is an array of strings, and the triggers that keep them: pairs is
--         filled from symbol (else tradingpair) for services that know one pair only, pair_count is its length, and
--         pair_index is the position of an order's symbol in its session's pairs. Then fills the existing sessions and
--         orders, batch by batch, and gives back what down/0001 has put aside.
-- Locks:  ACCESS EXCLUSIVE on sessions, then on orders, for some milliseconds each; waits 50 ms at most for each and
--         tries again, so that nobody queues behind it for longer. The backfill locks only the rows of one batch
--         (about 20 ms) and passes over rows that others hold. The check is validated under SHARE UPDATE EXCLUSIVE.
-- Runs:   ends the runner's transaction, works outside one, opens a new one for the journal row. Killed half way, it is
--         finished by the next run. At once with another migration of this database: refuses.
-- Undo:   drizzle/down/0001_multi_pair_support.sql. The columns go; what symbol cannot give back is put aside first.
--
-- Run it on a connection of its own: where it fails, its lock and its settings last as long as the connection.
-- With psql: psql -v ON_ERROR_STOP=1 -f. Without it psql goes on after a refusal; the blocks then refuse one by one.

call multi_pair_db.enter('0001_multi_pair_support');
--> statement-breakpoint
commit;
--> statement-breakpoint
call multi_pair_db.rest();
--> statement-breakpoint
call multi_pair_db.expect_column('sessions', 'pairs', 'jsonb');
--> statement-breakpoint
call multi_pair_db.expect_column('sessions', 'pair_count', 'integer');
--> statement-breakpoint
call multi_pair_db.expect_column('orders', 'pair_index', 'integer');
--> statement-breakpoint
do $obstacles$
declare
  obstacles text;
begin
  perform multi_pair_db.entered();

  -- A trigger does not fire for the rows of a child table, and PostgreSQL runs no rule in the statement that fills a batch.
  select string_agg(what, '; ' order by what)
  into obstacles
  from (
    select format('%s is a child table of %I', i.inhrelid::regclass, t.name) as what
    from unnest(array['sessions', 'orders']) as t (name)
    join pg_inherits as i on i.inhparent = to_regclass(t.name)
    union all
    select format('rule %I on updates of %I', r.rulename, t.name)
    from unnest(array['sessions', 'orders']) as t (name)
    join pg_rewrite as r on r.ev_class = to_regclass(t.name) and r.ev_type = '2' and r.ev_enabled in ('O', 'A')
    where r.is_instead or (t.name = 'sessions' and pg_get_ruledef(r.oid) !~ ' DO NOTHING;$')
  ) as found;

  if obstacles is not null then
    raise exception '0001_multi_pair_support: these would leave sessions or orders as they are: %', obstacles
      using errcode = 'object_not_in_prerequisite_state',
            hint = 'Nothing was changed. Drop the rule, or disable it for the migration (alter table … disable rule …); take a child table away with alter table … no inherit ….';
  end if;
end
$obstacles$;
--> statement-breakpoint
do $older_pairs$
declare
  bad_sessions text;
  last_id text;
  batch_end text;
begin
  if not exists (
    select from pg_attribute where attrelid = to_regclass('sessions') and attname = 'pairs' and not attisdropped
  ) then
    return;
  end if;

  -- {}, [""], a lone string and nulls say nothing, and are put right; anything else would be a guess about what was traded.
  select string_agg(format('%L', id), ', ')
  into bad_sessions
  from (
    select id
    from sessions
    where pairs <> '{}'
      and (jsonb_typeof(pairs) not in ('array', 'string', 'null')
        or jsonb_path_exists(pairs, 'strict $[*] ? (@.type() != "string")', '{}', true))
    limit 10
  ) as bad;

  if bad_sessions is not null then
    raise exception '0001_multi_pair_support: sessions.pairs of an older attempt is not an array of strings'
      using errcode = 'check_violation', detail = 'The first such sessions: ' || bad_sessions,
            hint = 'Nothing was changed. Set pairs of these sessions to an array of strings or to null, then run again.';
  end if;

  -- The rule that comes next is asked of every row that a service writes, whatever it changes in it: what is no array would
  -- fail the service. The backfill sees to rows that others hold. A lone string is kept where no symbol says more.
  loop
    select max(id) into batch_end
    from (
      select id
      from sessions
      where (jsonb_typeof(pairs) <> 'array' or pairs = '[""]') and (last_id is null or id > last_id)
      order by id
      limit 500
    ) as batch;
    exit when batch_end is null;

    update sessions
    set pairs = case
      when coalesce(nullif(symbol, ''), nullif(tradingpair, '')) is null and jsonb_typeof(pairs) = 'string' and pairs <> '""'
        then jsonb_build_array(pairs)
      else '[]'
    end
    where id in (
      select id
      from sessions
      where (jsonb_typeof(pairs) <> 'array' or pairs = '[""]') and (last_id is null or id > last_id) and id <= batch_end
      order by id
      for no key update skip locked);
    last_id := batch_end;
    call multi_pair_db.rest();
  end loop;
end
$older_pairs$;
--> statement-breakpoint
do $sessions$
begin
  call multi_pair_db.lock_briefly('sessions');

  -- Constant defaults: no row is rewritten.
  alter table sessions
    add column if not exists pairs jsonb default '[]'::jsonb,
    add column if not exists pair_count integer default 0;
  -- Where an older attempt has added them otherwise.
  alter table sessions
    alter column pairs set default '[]'::jsonb,
    alter column pairs drop not null,
    alter column pair_count set default 0,
    alter column pair_count drop not null;
  -- It is validated at the end. One that stands is left alone: a run that is stopped half way would have taken it away.
  if not exists (
    select from pg_constraint
    where conrelid = to_regclass('sessions') and conname = 'sessions_pairs_is_array_of_strings'
      and pg_get_constraintdef(oid) = 'CHECK (((jsonb_typeof(pairs) = ''array''::text) AND (NOT jsonb_path_exists(pairs, ''strict $[*]?(@.type() != "string")''::jsonpath, ''{}''::jsonb, true))))'
  ) then
    alter table sessions
      drop constraint if exists sessions_pairs_is_array_of_strings,
      add constraint sessions_pairs_is_array_of_strings check (jsonb_typeof(pairs) = 'array' and not jsonb_path_exists(pairs, 'strict $[*] ? (@.type() != "string")', '{}', true)) not valid;
  end if;

  comment on column sessions.pairs is 'Pairs the session trades: an array of strings. Filled from symbol, else tradingpair, where a service leaves it empty.';
  comment on column sessions.pair_count is 'Length of pairs. Kept by the trigger trg_sessions_sync_pairs.';

  create or replace function multi_pair_db.sessions_sync_pairs() returns trigger language plpgsql as $function$
  declare
    own_pair constant text := coalesce(nullif(new.symbol, ''), nullif(new.tradingpair, ''));
    old_own_pair constant text := coalesce(nullif(old.symbol, ''), nullif(old.tradingpair, ''));
    is_stored boolean := false;
  begin
    if tg_op = 'INSERT' and (new.pairs is null or new.pairs = '[]') then
      -- An upsert says nothing of pairs: then the row that is stored keeps its own. What is filled in here would reach it
      -- as if the service had said it.
      execute format('select exists (select from %s where id = $1)', tg_relid::regclass) into is_stored using new.id;
      if is_stored then
        new.pairs := null;
        return new;
      end if;
    end if;

    if tg_op = 'UPDATE' then
      -- Null says nothing, so what was there stays.
      new.pairs := coalesce(new.pairs, old.pairs);
      -- A service of the old kind gave its one pair another name: pairs follows. Where it takes the name away, it stays,
      -- until there is a name again.
      if own_pair is not null and old.pair_count = 1 and new.pairs = old.pairs
        and (new.symbol, new.tradingpair) is distinct from (old.symbol, old.tradingpair)
      then
        if old_own_pair is null or new.pairs = jsonb_build_array(old_own_pair) then
          new.pairs := jsonb_build_array(own_pair);
        elsif new.pairs = jsonb_build_array(old.tradingpair) then
          new.pairs := jsonb_build_array(coalesce(nullif(new.tradingpair, ''), own_pair));
        end if;
      end if;
    end if;

    if new.pairs is null or new.pairs = '[]' then
      new.pairs := case when own_pair is null then '[]' else jsonb_build_array(own_pair) end;
    end if;

    -- What is no array is left to the check constraint, which names the rule.
    new.pair_count := case when jsonb_typeof(new.pairs) = 'array' then jsonb_array_length(new.pairs) end;
    return new;
  end
  $function$;
  comment on function multi_pair_db.sessions_sync_pairs() is 'Keeps sessions.pair_count equal to the length of pairs, and fills empty pairs from symbol, else tradingpair.';

  create or replace trigger trg_sessions_sync_pairs
    before insert or update of symbol, tradingpair, pairs, pair_count on sessions
    for each row execute function multi_pair_db.sessions_sync_pairs();
  -- Always: rows that arrive by logical replication are kept, too.
  alter table sessions enable always trigger trg_sessions_sync_pairs;
end
$sessions$;
--> statement-breakpoint
do $orders$
begin
  call multi_pair_db.lock_briefly('orders');

  alter table orders
    add column if not exists pair_index integer default 0;
  alter table orders
    alter column pair_index set default 0,
    alter column pair_index drop not null;

  comment on column orders.pair_index is 'Position of the order''s symbol in its session''s pairs, from 0.';

  create or replace function multi_pair_db.orders_set_pair_index() returns trigger language plpgsql as $function$
  declare
    place integer;
  begin
    if new.sessionid is null or new.symbol is null
      or (tg_op = 'UPDATE' and (new.sessionid, new.symbol, new.pair_index) is not distinct from (old.sessionid, old.symbol, old.pair_index))
    then
      return new;
    end if;
    -- The plan of the first is kept; a writer whose search path leads elsewhere (a replication worker has none) takes the
    -- second.
    if to_regclass('sessions') = to_regclass(format('%I.sessions', tg_table_schema)) then
      select min(e.ordinality)::integer - 1 into place
      from sessions as s cross join lateral jsonb_array_elements_text(s.pairs) with ordinality as e (pair)
      where s.id = new.sessionid and e.pair = new.symbol;
    else
      execute format('select min(e.ordinality)::integer - 1
        from %I.sessions as s cross join lateral jsonb_array_elements_text(s.pairs) with ordinality as e (pair)
        where s.id = $1 and e.pair = $2', tg_table_schema)
      into place using new.sessionid, new.symbol;
    end if;
    -- A symbol that is not among them leaves what the service gave.
    new.pair_index := coalesce(place, new.pair_index);
    return new;
  end
  $function$;
  comment on function multi_pair_db.orders_set_pair_index() is 'Keeps orders.pair_index: the position of the symbol in the session''s pairs.';

  create or replace trigger trg_orders_set_pair_index
    before insert or update of sessionid, symbol, pair_index on orders
    for each row execute function multi_pair_db.orders_set_pair_index();
  alter table orders enable always trigger trg_orders_set_pair_index;
end
$orders$;
--> statement-breakpoint
do $reordered_pairs$
begin
  call multi_pair_db.lock_briefly('sessions');

  create or replace function multi_pair_db.sessions_renumber_orders() returns trigger language plpgsql as $function$
  begin
    execute format('update %I.orders as o
      set pair_index = e.place
      from (
        select pair, min(ordinality)::integer - 1 as place
        from jsonb_array_elements_text($2) with ordinality as e (pair)
        group by pair
      ) as e
      where o.sessionid = $1 and o.symbol = e.pair and o.pair_index is distinct from e.place', tg_table_schema)
    using new.id, new.pairs;
    return null;
  end
  $function$;
  comment on function multi_pair_db.sessions_renumber_orders() is 'Keeps orders.pair_index when the pairs of a session are reordered.';

  -- Not for sessions that have one pair before and after: then every position is 0, and the backfill has a million of them.
  create or replace trigger trg_sessions_renumber_orders
    after update on sessions
    for each row
    when (old.pairs is distinct from new.pairs and (old.pair_count > 1 or new.pair_count > 1))
    execute function multi_pair_db.sessions_renumber_orders();
  alter table sessions enable always trigger trg_sessions_renumber_orders;
end
$reordered_pairs$;
--> statement-breakpoint
do $backfill$
declare
  -- Each batch is to take about 20 ms: it holds row locks for that long, and a writer's wait must stay below 100 ms.
  target_ms constant double precision := 20;
  -- How many rows a batch may fill: few at first, then by the time that the last one took.
  fill_rows integer := 100;
  -- So many pages are looked at together: 16 MB, which stay in memory while they are filled.
  range_pages constant integer := 2000;
  total bigint;
  pages bigint;
  first_page bigint;
  left_over bigint;
  stale_ids text[];
  batch_ids text[];
  stale_rows integer;
  taken_rows integer;
  filled_rows bigint;
  lost_rows bigint;
  started_at timestamptz;
  batch_ms double precision;
begin
  for pass in 1..10 loop
    -- One look at all rows at one moment, and the proof where it finds nothing: what is written later, the trigger fills.
    select count(*),
           count(*) filter (where pairs is null
             or jsonb_typeof(pairs) <> 'array'
             or pair_count is distinct from case when jsonb_typeof(pairs) = 'array' then jsonb_array_length(pairs) end
             or (pairs in ('[]', '[""]') and coalesce(nullif(symbol, ''), nullif(tradingpair, '')) is not null)
             or pairs = '[""]')
    into total, left_over
    from sessions;
    commit;
    exit when left_over = 0;

    -- Passes after the first are for rows that others held, or moved to a page behind it. Where rows stay held, waits grow to
    -- half a minute.
    perform pg_sleep(case when pass < 3 then 0 else least(30, 0.1 * 2 ^ (pass - 1)) end);
    commit;
    first_page := 0;

    loop
      pages := pg_relation_size('sessions') / current_setting('block_size')::bigint;
      exit when first_page >= pages;

      -- First one row of each page, then the second of each: a page is full, so its first new version goes elsewhere and
      -- into every index; but the old one makes room for that of the next row, which then goes into none. (A million
      -- sessions: a third of the WAL, less than half of the time, and a table that has not grown.)
      select array_agg(id order by turn, page)
      into stale_ids
      from (
        select id, page, row_number() over (partition by page order by ctid) as turn
        from (
          select id, ctid, (ctid::text::point)[0] as page
          from sessions
          where ctid >= format('(%s,0)', first_page)::tid and ctid < format('(%s,0)', first_page + range_pages)::tid
            and (pairs is null
              or jsonb_typeof(pairs) <> 'array'
              or pair_count is distinct from case when jsonb_typeof(pairs) = 'array' then jsonb_array_length(pairs) end
              or (pairs in ('[]', '[""]') and coalesce(nullif(symbol, ''), nullif(tradingpair, '')) is not null)
              or pairs = '[""]')
        ) as stale
      ) as ordered;
      commit;
      stale_rows := coalesce(cardinality(stale_ids), 0);
      taken_rows := 0;

      while taken_rows < stale_rows loop
        started_at := clock_timestamp();
        batch_ids := stale_ids[taken_rows + 1 : taken_rows + fill_rows];

        with held as materialized (
          -- In the order of the key, and never waiting for a row: neither a deadlock with a service nor a queue.
          select s.id
          from unnest(batch_ids) as batch (id)
          join sessions as s on s.id = batch.id
          order by s.id
          for no key update of s skip locked
        ), filled as (
          -- The trigger does the work; what is no array says nothing, but for a lone string where no symbol says more.
          update sessions as s
          set pairs = case
            when jsonb_typeof(s.pairs) = 'array' and s.pairs <> '[""]' then s.pairs
            when coalesce(nullif(s.symbol, ''), nullif(s.tradingpair, '')) is null and jsonb_typeof(s.pairs) = 'string' and s.pairs <> '""'
              then jsonb_build_array(s.pairs)
            else '[]'
          end
          from held
          where s.id = held.id
          returning s.id, s.pair_count = jsonb_array_length(s.pairs) and s.pairs <> '[""]'
            and (s.pairs <> '[]' or coalesce(nullif(s.symbol, ''), nullif(s.tradingpair, '')) is null) as is_filled
        )
        select (select count(*) from filled),
               (select count(*) from held where not exists (select from filled where filled.id = held.id and is_filled))
        into filled_rows, lost_rows;

        -- Nobody else held these: what our own update leaves undone, it would leave undone in every pass.
        if lost_rows > 0 then
          raise exception '0001_multi_pair_support: the update of % sessions changes nothing: something of this database undoes it', lost_rows
            using errcode = 'triggered_action_exception',
                  hint = format('What is filled stays filled. Disable what undoes it (alter table sessions disable trigger …), then run again. Triggers of others before an update: %s', coalesce((
                    select string_agg(format('%I runs %s', tgname, tgfoid::regproc), '; ' order by tgname)
                    from pg_trigger
                    -- Bits of tgtype: 1 for each row, 2 before, 16 on update.
                    where tgrelid = to_regclass('sessions') and not tgisinternal and tgtype & 19 = 19 and tgenabled <> 'D'
                      and tgname <> 'trg_sessions_sync_pairs'), 'none'));
        end if;

        taken_rows := least(taken_rows + fill_rows, stale_rows);
        -- At least 1: the clock of an embedded database has no finer grain, and a clock may be set back.
        batch_ms := greatest(1, extract(epoch from clock_timestamp() - started_at) * 1000);
        raise info '0001_multi_pair_support: pass %, % of % sessions, % filled in % ms',
          pass, total * (first_page + least(range_pages, pages - first_page) * taken_rows / stale_rows) / pages, total,
          filled_rows, round(batch_ms::numeric, 1);
        call multi_pair_db.rest();
        fill_rows := greatest(50, least(range_pages, fill_rows * greatest(0.5, least(2, target_ms / batch_ms))));
      end loop;

      first_page := first_page + range_pages;
    end loop;
  end loop;

  if left_over > 0 then
    raise exception '0001_multi_pair_support: % sessions could not be filled: other transactions hold them', left_over
      using errcode = 'lock_not_available',
            hint = 'What is filled stays filled. Let the transactions that have updated sessions end, then run again.';
  end if;
end
$backfill$;
--> statement-breakpoint
do $give_back$
declare
  -- As in the backfill: a row of a batch is held for 20 ms, and not for as long as any 500 take.
  target_ms constant double precision := 20;
  give_rows integer := 100;
  started_at timestamptz;
  batch_ms double precision;
  kept record;
  last_id text;
  batch_end text;
  left_over bigint;
  waits integer := 0;
  given_rows bigint;
  gone_rows bigint;
  due_rows bigint;
  given_total bigint;
  gone_total bigint;
begin
  -- What down/0001 has put aside goes back, in batches that pass over rows that others hold. What a service has written
  -- since is newer and stays. A row leaves the table of what is put aside in the transaction that gives it back.
  for kept in
    select *
    from (values
      ('undo_sessions', 'sessions', 'pairs',
       $$t.symbol is not distinct from u.symbol and t.tradingpair is not distinct from u.tradingpair
         and coalesce(t.pairs in ('[]', jsonb_build_array(coalesce(nullif(t.symbol, ''), nullif(t.tradingpair, '')))), true)$$),
      ('undo_orders', 'orders', 'pair_index',
       $$t.symbol is not distinct from u.symbol and t.sessionid is not distinct from u.sessionid
         and coalesce(t.pair_index, 0) = 0$$)
    ) as k (put_aside, target, col, is_as_it_was)
    where to_regclass('multi_pair_db.' || k.put_aside) is not null
  loop
    last_id := null;
    given_total := 0;
    gone_total := 0;
    loop
      execute format('select max(id) from (select id from multi_pair_db.%I where $1 is null or id > $1 order by id limit $2) as batch', kept.put_aside)
      into batch_end
      using last_id, give_rows;

      if batch_end is not null then
        started_at := clock_timestamp();
        execute format(
          'with held as materialized (
             select u.*, %4$s as is_as_it_was
             from multi_pair_db.%1$I as u
             join %2$I as t on t.id = u.id
             where ($1 is null or u.id > $1) and u.id <= $2
             order by t.id
             for no key update of t skip locked
           ), given_back as (
             update %2$I as t set %3$I = held.%3$I from held where t.id = held.id and held.is_as_it_was returning t.id
           ), gone as (
             delete from multi_pair_db.%1$I as u using held where u.id = held.id returning u.id
           )
           select (select count(*) from given_back), (select count(*) from gone), (select count(*) from held where is_as_it_was)', kept.put_aside, kept.target, kept.col, kept.is_as_it_was)
        into given_rows, gone_rows, due_rows
        using last_id, batch_end;
        if given_rows < due_rows then
          raise exception '0001_multi_pair_support: the update of % rows of % changes nothing: a trigger or rule of this database undoes it', due_rows - given_rows, kept.target
            using errcode = 'triggered_action_exception',
                  hint = 'They are kept in multi_pair_db.' || kept.put_aside || '. Disable what returns null before an update, then run again.';
        end if;
        given_total := given_total + given_rows;
        gone_total := gone_total + gone_rows;
        last_id := batch_end;
        batch_ms := greatest(1, extract(epoch from clock_timestamp() - started_at) * 1000);
        call multi_pair_db.rest();
        give_rows := greatest(50, least(2000, give_rows * greatest(0.5, least(2, target_ms / batch_ms))));
        continue;
      end if;

      -- The end: once more for rows that others held, as long as there are any.
      execute format('select count(*) from multi_pair_db.%I as u join %I as t on t.id = u.id', kept.put_aside, kept.target)
      into left_over;
      exit when left_over = 0;
      waits := waits + 1;
      if waits > 600 then
        raise exception '0001_multi_pair_support: % rows of % could not be given back: other transactions hold them',
          left_over, kept.target
          using errcode = 'lock_not_available',
                hint = 'They are kept in multi_pair_db.' || kept.put_aside || '. Let those transactions end, then run again.';
      end if;
      perform pg_sleep(0.1);
      last_id := null;
    end loop;
    if gone_total > 0 then
      raise info '0001_multi_pair_support: gave % back to % rows of %; % have changed since, and stay as they are',
        kept.col, given_total, kept.target, gone_total - given_total;
    end if;
  end loop;

  -- What is left in them belonged to rows that have been deleted since.
  drop table if exists multi_pair_db.undo_sessions, multi_pair_db.undo_orders;
end
$give_back$;
--> statement-breakpoint
do $pair_index$
declare
  -- As in the backfill: a row of a batch is held for 20 ms, however many orders a session has.
  target_ms constant double precision := 20;
  place_rows integer := 100;
  last_id text;
  range_end text;
  stale_ids text[];
  stale_places integer[];
  stale_rows integer;
  taken_rows integer;
  stale_total bigint;
  started_at timestamptz;
  batch_ms double precision;
begin
  -- Orders of sessions with many pairs, as an older attempt or a service wrote them; others are at 0, which is right. Passes
  -- over rows that others hold, and ends when a look at all of them finds none.
  for pass in 1..600 loop
    last_id := null;
    stale_total := 0;
    loop
      select max(id) into range_end
      from (
        select id
        from sessions
        where pair_count > 1 and (last_id is null or id > last_id)
        order by id
        limit 20
      ) as range_of_sessions;
      exit when range_end is null;

      select array_agg(o.id order by o.id), array_agg(e.place order by o.id)
      into stale_ids, stale_places
      from sessions as s
      cross join lateral (
        select pair, min(ordinality)::integer - 1 as place
        from jsonb_array_elements_text(s.pairs) with ordinality as p (pair)
        group by pair
      ) as e
      join orders as o on o.sessionid = s.id and o.symbol = e.pair and o.pair_index is distinct from e.place
      where s.pair_count > 1 and (last_id is null or s.id > last_id) and s.id <= range_end;
      commit;
      stale_rows := coalesce(cardinality(stale_ids), 0);
      stale_total := stale_total + stale_rows;
      taken_rows := 0;

      while taken_rows < stale_rows loop
        started_at := clock_timestamp();
        -- The trigger looks the place up again: what was read above may have changed since.
        update orders as o
        set pair_index = held.place
        from (
          select o.id, stale.place
          from unnest(
            stale_ids[taken_rows + 1 : taken_rows + place_rows],
            stale_places[taken_rows + 1 : taken_rows + place_rows]
          ) as stale (id, place)
          join orders as o on o.id = stale.id
          order by o.id
          for no key update of o skip locked
        ) as held
        where o.id = held.id;
        taken_rows := taken_rows + place_rows;
        batch_ms := greatest(1, extract(epoch from clock_timestamp() - started_at) * 1000);
        call multi_pair_db.rest();
        place_rows := greatest(50, least(2000, place_rows * greatest(0.5, least(2, target_ms / batch_ms))));
      end loop;
      last_id := range_end;
    end loop;
    exit when stale_total = 0;
    -- After the first pass there are only rows that others hold, or that are written meanwhile.
    perform pg_sleep(case when pass = 1 then 0 else 0.1 end);
    commit;
  end loop;

  if stale_total > 0 then
    raise exception '0001_multi_pair_support: % orders could not be given their pair_index: other transactions hold them, or something of this database undoes it', stale_total
      using errcode = 'lock_not_available',
            hint = 'What is set stays set. Let the transactions that have updated orders end, disable triggers of your own that set pair_index, then run again.';
  end if;
end
$pair_index$;
--> statement-breakpoint
-- Reads every session once, under SHARE UPDATE EXCLUSIVE: reads and writes go on. Done twice, it does no harm.
-- squawk-ignore prefer-robust-stmts
alter table sessions validate constraint sessions_pairs_is_array_of_strings;
--> statement-breakpoint
call multi_pair_db.prove('0001_multi_pair_support');
--> statement-breakpoint
begin;
--> statement-breakpoint
call multi_pair_db.hand_over();
