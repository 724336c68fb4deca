-- 0000_baseline: the single-pair schema (three tables, 20 indexes, three foreign keys), as it is live, and the frame that
-- all later migrations stand in: the schema multi_pair_db with its procedures.
--
-- What:   creates what is missing and changes nothing that exists. On the live database the three tables are not
--         touched; it refuses where a column that it expects is missing or has another type, and names the column.
-- Locks:  none on a live table that is complete. A missing index or foreign key is added in place, in one message, only
--         where the table is under 8 MB: everybody waits for some ten milliseconds. For a larger table the file refuses
--         and says which statements build it without blocking anyone.
-- Runs:   tables and frame in the runner's transaction, which it then ends; what is missing outside one; a new one for the
--         journal row. At once with another migration of this database: refuses.
-- Undo:   none. This is the ground; take it away by restoring a backup.
--
-- With psql: psql -v ON_ERROR_STOP=1 -f. Without it psql goes on after a refusal.

do $refuse$
begin
  -- The transaction's own lock: it ends with the transaction that also writes the journal row. Asked for 2 s, because a
  -- session that has just left still holds it. (The frame below does the same; it is not there yet.)
  for try in 1..20 loop
    exit when pg_try_advisory_xact_lock(hashtextextended('multi-pair-db', 0));
    if try = 20 then
      raise exception '0000_baseline: another migration of this database is running; nothing was changed'
        using errcode = 'lock_not_available', hint = 'Wait until it has ended, then run again.';
    end if;
    perform pg_sleep(0.1);
  end loop;

  -- A runner that read the journal before another one finished would record the file twice. Only a runner is inside
  -- a transaction here (the clock has moved since it began); psql -f is not, and may run a file again to heal.
  if now() < statement_timestamp() and to_regclass('multi_pair_db.migrations') is not null then
    if exists (select from multi_pair_db.migrations) then
      raise exception '0000_baseline: another run has applied it in the meantime; nothing was changed'
        using errcode = 'object_not_in_prerequisite_state',
              hint = 'Run again: what is done is then skipped. If it is not, this runner looks into another journal: its configuration needs migrations: { schema: ''multi_pair_db'', table: ''migrations'' }. With psql, give each file a call of its own (one -f).';
    end if;
  end if;
end
$refuse$;
--> statement-breakpoint
do $shape$
declare
  -- Columns of the live schema, by table and type.
  expected constant jsonb := '{
    "sessions": {
      "text": [
        "id", "sessionid", "symbol", "tradingpair", "exchange", "exchangename", "strategy", "strategytype",
        "tradingmode", "status", "basetoken", "quotetoken", "endtime", "version", "endreason",
        "pricingstrategyname"
      ],
      "boolean": [
        "simulationmode", "settlesession", "settledcomplete", "earlycleanuptriggered", "forcetradingenabled"
      ],
      "real": ["budget"],
      "bigint": [
        "starttimestamp", "addedat", "starttime", "startedat", "completedat", "endedat", "lastupdated",
        "lastmigratedat", "duration", "sessionlength", "lastsettleattempt", "earlycleanuptimestamp"
      ],
      "integer": ["cyclecount"],
      "jsonb": [
        "initialbalances", "finalbalances", "initialpositions", "finalpositions", "pricingstrategyconfig",
        "cleanupresults", "settings", "metrics", "commandlineargs", "environment", "data"
      ]
    },
    "orders": {
      "text": [
        "id", "sessionid", "parentorderid", "clientorderid", "symbol", "side", "type", "status", "exchange",
        "tradingmode", "positionid", "purpose", "cancelreason"
      ],
      "real": [
        "size", "filledsize", "filled", "remaining", "price", "marketprice", "fee", "usdvalue"
      ],
      "bigint": ["timestamp", "lastupdated", "filledat", "canceledat", "lastfilltimestamp"],
      "integer": ["openordersatcreation"],
      "jsonb": ["data"]
    },
    "fills": {
      "text": [
        "id", "orderid", "sessionid", "clientorderid", "symbol", "side", "exchangeorderid", "execid",
        "liquidityind"
      ],
      "real": ["size", "amount", "price", "fee", "feeamount", "cost", "quantity"],
      "jsonb": ["fees", "data", "feedata"],
      "bigint": ["tradeid", "createdat", "timestamp", "lastupdated"]
    }
  }';
  faults text;
begin
  -- Names are compared as text below, and a database may have PostgreSQL quote every one.
  perform set_config('quote_all_identifiers', 'off', true);

  -- New tables go into the first schema of the search path: beside live ones in another schema they would hide them. By
  -- its name as it is stored: a cast to text writes "Trading" with its quotes.
  select string_agg(format('%I of schema %I', c.relname, n.nspname), '; ')
  into faults
  from jsonb_object_keys(expected) as t (name)
  join pg_class as c on c.oid = to_regclass(t.name)
  join pg_namespace as n on n.oid = c.relnamespace
  where n.nspname is distinct from current_schema();

  if faults is not null then
    raise exception '0000_baseline: new objects would go to schema %, but the live tables are elsewhere: %', current_schema(), faults
      using errcode = 'invalid_schema_name', hint = 'Nothing was changed. Set search_path to the schema of the live tables first.';
  end if;

  select string_agg(
    case
      when c.relkind <> 'r' then format('%I is not an ordinary table', t.name)
      when a.attname is null then format('%I.%I (%s) is missing', t.name, col.name, ty.name)
      else format('%I.%I is %s, not %s', t.name, col.name, format_type(a.atttypid, a.atttypmod), ty.name)
    end, '; ' order by t.name, col.name)
  into faults
  from jsonb_each(expected) as t (name, types)
  join pg_class as c on c.oid = to_regclass(t.name)
  cross join jsonb_each(t.types) as ty (name, columns)
  cross join jsonb_array_elements_text(ty.columns) as col (name)
  left join pg_attribute as a on a.attrelid = c.oid and a.attname = col.name and not a.attisdropped
  where c.relkind <> 'r' or a.attname is null or format_type(a.atttypid, a.atttypmod) <> ty.name;

  if faults is not null then
    raise exception '0000_baseline: this is not the database it expects: %', faults
      using errcode = 'datatype_mismatch',
            hint = 'Nothing was changed. Give the column the expected type, or check that this is the right database.';
  end if;

  select string_agg(t.name, ', ' order by t.name)
  into faults
  from jsonb_object_keys(expected) as t (name)
  where to_regclass(t.name) is not null
    and not exists (
      select from pg_constraint as pk
      join pg_attribute as a on a.attrelid = pk.conrelid and pk.conkey = array[a.attnum]
      where pk.conrelid = to_regclass(t.name) and pk.contype = 'p' and a.attname = 'id');

  if faults is not null then
    raise exception '0000_baseline: this is not the database it expects: no primary key (id) on %', faults
      using errcode = 'object_not_in_prerequisite_state',
            hint = 'Nothing was changed. Add the primary key, or check that this is the right database.';
  end if;
end
$shape$;
--> statement-breakpoint
create table if not exists sessions (
  id text primary key,
  sessionid text,
  symbol text,
  tradingpair text,
  exchange text,
  exchangename text,
  strategy text,
  strategytype text,
  tradingmode text,
  status text,
  simulationmode boolean,
  basetoken text,
  quotetoken text,
  budget real,
  starttimestamp bigint,
  addedat bigint,
  starttime bigint,
  startedat bigint,
  completedat bigint,
  endedat bigint,
  endtime text,
  lastupdated bigint,
  lastmigratedat bigint,
  duration bigint,
  sessionlength bigint,
  cyclecount integer,
  version text,
  endreason text,
  settlesession boolean,
  settledcomplete boolean,
  lastsettleattempt bigint,
  earlycleanuptriggered boolean,
  earlycleanuptimestamp bigint,
  pricingstrategyname text,
  forcetradingenabled boolean,
  initialbalances jsonb,
  finalbalances jsonb,
  initialpositions jsonb,
  finalpositions jsonb,
  pricingstrategyconfig jsonb,
  cleanupresults jsonb,
  settings jsonb,
  metrics jsonb,
  commandlineargs jsonb,
  environment jsonb,
  data jsonb
);
--> statement-breakpoint
create table if not exists orders (
  id text primary key,
  sessionid text,
  parentorderid text,
  clientorderid text,
  symbol text,
  side text,
  type text,
  status text,
  size real,
  filledsize real,
  filled real,
  remaining real,
  price real,
  marketprice real,
  fee real,
  usdvalue real,
  "timestamp" bigint,
  lastupdated bigint,
  filledat bigint,
  canceledat bigint,
  lastfilltimestamp bigint,
  exchange text,
  tradingmode text,
  positionid text,
  purpose text,
  cancelreason text,
  openordersatcreation integer,
  data jsonb,
  constraint fk_orders_sessionid foreign key (sessionid) references sessions (id)
);
--> statement-breakpoint
create table if not exists fills (
  id text primary key,
  orderid text,
  sessionid text,
  clientorderid text,
  symbol text,
  side text,
  size real,
  amount real,
  price real,
  fee real,
  feeamount real,
  cost real,
  fees jsonb,
  exchangeorderid text,
  execid text,
  tradeid bigint,
  liquidityind text,
  quantity real,
  createdat bigint,
  "timestamp" bigint,
  lastupdated bigint,
  data jsonb,
  feedata jsonb,
  constraint fk_fills_orderid foreign key (orderid) references orders (id),
  constraint fk_fills_sessionid foreign key (sessionid) references sessions (id)
);
--> statement-breakpoint
-- The frame. All that the package keeps in a database beside the three tables stands in this schema. A file that works
-- on a live table is a dozen lines on these procedures:
--
--   call multi_pair_db.enter('0003_…');            alone, or refused; time limits lifted
--   commit;                                        ends the runner's transaction
--   call multi_pair_db.expect_index(…);            once for each index: what is INVALID or different is set aside
--   call multi_pair_db.rest();                     before each build, and after each batch: as long as there is reason to
--   drop index concurrently if exists …__broken;   create index concurrently if not exists …;
--   drop index concurrently if exists …__set_aside;
--   call multi_pair_db.prove('0003_…');            all as expected, or an error; time limits put back
--   begin;                                         the journal row's transaction
--   call multi_pair_db.hand_over();                the lock becomes that transaction's
create schema if not exists multi_pair_db;
--> statement-breakpoint
-- The journal, in the shape of drizzle-kit 1.0. A runner makes it before its first file: 1.0 makes all of it, 0.31 the first
-- three columns. psql, or a runner with another journal, makes none.
create table if not exists multi_pair_db.migrations (
  -- squawk-ignore prefer-identity
  id serial primary key,
  hash text not null,
  created_at bigint,
  name text,
  applied_at timestamp with time zone default now()
);
--> statement-breakpoint
-- keep_journal: one row a file, under the name by which drizzle-kit 1.0 knows the file: its stamp in UTC, and its own name
-- without the number. 0.31 gives none, and 1.0 would take a row without a name for no row, and run the file again.
create or replace function multi_pair_db.keep_journal()
returns trigger
language plpgsql
as $function$
declare
  -- What hand_over has said in this transaction. Good for one row: a file after it that stands outside the frame is another.
  file constant text := coalesce(current_setting('multi_pair_db.handed_over', true), '');
  recorded_hash text;
begin
  perform set_config('multi_pair_db.handed_over', '', true);

  select hash
  into recorded_hash
  from multi_pair_db.migrations
  where created_at / 1000 = new.created_at / 1000
  order by id
  limit 1;
  if recorded_hash = new.hash then
    return null;
  end if;
  if recorded_hash is not null then
    raise exception 'the migration stamped % is recorded with another content; nothing was recorded', new.created_at
      using errcode = 'unique_violation',
            hint = 'The file is not what was applied. Restore it, and put the change into a new migration.';
  end if;

  if new.name is null and file = '' then
    raise exception 'the journal row of %, stamped %, has no name', left(new.hash, 12), new.created_at
      using errcode = 'not_null_violation',
            hint = 'A file that stands outside the frame is finished by npm run finish. By hand, name the row as drizzle-kit 1.0 names the folder of the file.';
  end if;
  new.name := coalesce(new.name, to_char(to_timestamp(new.created_at / 1000) at time zone 'UTC', 'YYYYMMDDHH24MISS')
    || regexp_replace(file, '^\d+', ''));
  return new;
end
$function$;
--> statement-breakpoint
do $journal$
begin
  -- Only where they are missing: it waits for whoever reads the journal in a transaction.
  if (select count(*) from pg_attribute
      where attrelid = 'multi_pair_db.migrations'::regclass and attname in ('name', 'applied_at') and not attisdropped) < 2 then
    alter table multi_pair_db.migrations
      add column if not exists name text,
      add column if not exists applied_at timestamp with time zone default now();
  end if;

  create or replace trigger trg_migrations_keep_journal
    before insert on multi_pair_db.migrations
    for each row execute function multi_pair_db.keep_journal();
end
$journal$;
--> statement-breakpoint
-- The row that pauses runs, made by `multi-pair-db pause` and taken away by `resume`: a run rests between two batches or
-- builds for as long as it is there.
create table if not exists multi_pair_db.pause (
  is_paused boolean primary key default true check (is_paused),
  paused_by text not null,
  paused_at timestamp with time zone not null default clock_timestamp(),
  reason text
);
--> statement-breakpoint
-- enter: begins a file. Refuses while another migration of this database runs, or where a runner that read the journal too
-- early would record the file twice. Takes the session's lock and sets the session for long work.
create or replace procedure multi_pair_db.enter(file text)
language plpgsql
as $procedure$
declare
  -- Files are numbered from 0: so many are recorded when it is this one's turn. A file of down/ has no number.
  place constant integer := substring(file from '^(\d{4})_')::integer;
begin
  -- Asked for 2 s, because a session that has just left still holds it. Asked, and not waited for: a session that waits
  -- for a lock holds a snapshot, which a build CONCURRENTLY of the lock's holder waits for in turn.
  for try in 1..20 loop
    exit when pg_try_advisory_xact_lock(hashtextextended('multi-pair-db', 0));
    if try = 20 then
      raise exception '%: another migration of this database is running; nothing was changed', file
        using errcode = 'lock_not_available', hint = 'Wait until it has ended, then run again.';
    end if;
    perform pg_sleep(0.1);
  end loop;

  -- Only a runner is inside a transaction here: the clock has moved since it began. psql -f may run a file again.
  if place is not null and now() < statement_timestamp() and to_regclass('multi_pair_db.migrations') is not null then
    if (select count(distinct created_at) from multi_pair_db.migrations) > place then
      raise exception '%: another run has applied it in the meantime; nothing was changed', file
        using errcode = 'object_not_in_prerequisite_state',
              hint = 'Run again: what is done is then skipped. If it is not, this runner looks into another journal: its configuration needs migrations: { schema: ''multi_pair_db'', table: ''migrations'' }. With psql, give each file a call of its own (one -f).';
    end if;
  end if;

  if current_setting('session_replication_role') = 'replica' then
    raise exception '%: session_replication_role is replica, so no trigger fires; nothing was changed', file
      using errcode = 'object_not_in_prerequisite_state', hint = 'Set it to origin, then run again.';
  end if;

  -- The session's lock, which the transaction's own makes sure of: the work is many transactions.
  perform pg_advisory_lock(hashtextextended('multi-pair-db', 0));
  call multi_pair_db.lift_limits();
  perform set_config('multi_pair_db.file', file, false), set_config('multi_pair_db.expected', '[]', false),
          set_config('multi_pair_db.look_again_at', '', false), set_config('multi_pair_db.lag_is_hidden', '', false);
end
$procedure$;
--> statement-breakpoint
-- lift_limits: sets the session for work that takes as long as it takes, and holds up nobody meanwhile.
create or replace procedure multi_pair_db.lift_limits()
language plpgsql
as $procedure$
begin
  perform set_config(s.name, w.value, false)
  from (values
    -- Limits of a role or host would end a backfill half way, and leave an index INVALID. What could hold up others has a
    -- limit of its own: see lock_briefly.
    ('lock_timeout', '0'), ('statement_timeout', '0'), ('transaction_timeout', '0'),
    ('idle_in_transaction_session_timeout', '0'),
    -- Compiling a batch of 20 ms would only slow it down.
    ('jit', 'off'),
    -- A batch need not wait for the disk, nor make services wait behind its flush: a crash loses some batches, and the
    -- next run finds them. The journal row is committed with the setting put back, which flushes all that came before.
    ('synchronous_commit', 'off'),
    -- Each batch sees what services have committed meanwhile; a hidden row is an error, not a gap.
    ('default_transaction_isolation', 'read committed'), ('default_transaction_read_only', 'off'), ('row_security', 'off'),
    -- Definitions are compared as text.
    ('quote_all_identifiers', 'off'),
    -- "does not exist, skipping", again and again, would bury what matters. What a file says is INFO, which is always sent.
    ('client_min_messages', 'warning'),
    -- Less for the disk and the replicas; a superuser's setting, so only where the role may.
    ('wal_compression', 'on')) as w (name, value)
  join pg_settings as s on s.name = w.name
  where s.context = 'user' or (s.setting = 'off' and has_parameter_privilege(s.name, 'set'));

  begin
    -- Without this the server works on for a client that has been killed: nobody is there to cancel a build behind which a
    -- service waits that starts, and with it all who write. A second of that was felt (772 ms); a look is one system call.
    perform set_config('client_connection_check_interval', '100ms', false);
  exception
    when invalid_parameter_value then
      raise info 'this platform cannot notice a client that is gone; the work would go on without it';
  end;
end
$procedure$;
--> statement-breakpoint
-- put_limits_back: what lift_limits has set is what the role, the database or the server says again.
create or replace procedure multi_pair_db.put_limits_back()
language plpgsql
as $procedure$
declare
  setting text;
begin
  for setting in
    select name
    from pg_settings
    where name in ('lock_timeout', 'statement_timeout', 'transaction_timeout', 'idle_in_transaction_session_timeout',
                   'jit', 'synchronous_commit', 'default_transaction_isolation', 'default_transaction_read_only',
                   'row_security', 'quote_all_identifiers', 'client_min_messages', 'wal_compression',
                   'client_connection_check_interval')
      and (context = 'user' or has_parameter_privilege(name, 'set'))
  loop
    execute format('reset %I', setting);
  end loop;
  perform set_config('multi_pair_db.file', '', false), set_config('multi_pair_db.expected', '', false);
end
$procedure$;
--> statement-breakpoint
-- entered: the file that this session is in. Fails where `enter` has refused it and a client goes on regardless: whatever
-- locks or commits asks this first.
create or replace function multi_pair_db.entered()
returns text
language plpgsql
stable
as $function$
begin
  if coalesce(current_setting('multi_pair_db.file', true), '') = '' then
    raise exception 'the file was refused above, or is not begun (call multi_pair_db.enter); nothing more is done'
      using errcode = 'object_not_in_prerequisite_state';
  end if;
  return current_setting('multi_pair_db.file');
end
$function$;
--> statement-breakpoint
-- index_definition: an index as it is compared, without its name and the schema of its table: unique btree (a, b).
create or replace function multi_pair_db.index_definition(index_oid oid)
returns text
language sql
stable
as $function$
  select case when indisunique then 'unique ' else '' end || regexp_replace(pg_get_indexdef(indexrelid), '^.*? USING ', '')
  from pg_index
  where indexrelid = index_oid
$function$;
--> statement-breakpoint
-- expect_index: says what an index has to be when the file ends, and makes room for it. One of its name that is INVALID or
-- defined otherwise is renamed: to …__set_aside where it is valid, so that it serves and guards until its successor
-- stands, else to …__broken. Refuses a name that belongs to something else, and an index that is being built right now.
create or replace procedure multi_pair_db.expect_index(index_name text, table_name text, definition text)
language plpgsql
as $procedure$
declare
  file constant text := multi_pair_db.entered();
  found constant oid := to_regclass(quote_ident(index_name));
  serves boolean;
  spare_name text;
  builders text;
begin
  if to_regclass(quote_ident(table_name)) is null then
    raise exception '%: the table % is missing', file, table_name
      using errcode = 'undefined_table', hint = 'Run the migrations before this one first, or check that this is the right database.';
  end if;

  if length(index_name) > 52 then
    raise exception '%: the name % is longer than 52 characters', file, index_name
      using errcode = 'name_too_long', hint = 'With __set_aside behind it PostgreSQL would cut it. Give the index a shorter name.';
  end if;

  if found is not null and not exists (
    select from pg_index as x
    where x.indexrelid = found and x.indrelid = to_regclass(quote_ident(table_name))
      and not exists (select from pg_constraint as c where c.conindid = x.indexrelid)
  ) then
    raise exception '%: the name % belongs to something that is no plain index of %', file, index_name, table_name
      using errcode = 'duplicate_object', hint = 'Rename or drop it, then run again.';
  end if;

  -- "INVALID" may mean "still being built", also for a client that has been killed. Without pg_read_all_stats the index
  -- that another role builds is hidden; then any build on the table counts. So does a service that starts and runs CREATE
  -- INDEX IF NOT EXISTS, for a moment: hence the second look, for 2 s.
  for try in 1..20 loop
    select string_agg(format('pid %s (%s)', b.pid, coalesce(s.application_name, 'unknown')), '; ')
    into builders
    from pg_stat_progress_create_index as b
    left join pg_class as c on c.oid = b.index_relid
    left join pg_stat_activity as s on s.pid = b.pid
    where b.pid <> pg_backend_pid()
      and b.datname = current_database()
      and (c.oid is null or c.relname = index_name)
      and exists (
        select from pg_locks as l
        where l.pid = b.pid and l.locktype = 'relation' and l.database = b.datid
          and l.relation = to_regclass(quote_ident(table_name)));
    exit when builders is null;
    perform pg_sleep(0.1);
    -- The statistics of other sessions are read once a transaction, unless told otherwise.
    perform pg_stat_clear_snapshot();
  end loop;

  if builders is not null then
    raise exception '%: the index % is being built right now, by %', file, index_name, builders
      using errcode = 'object_in_use', hint = 'Wait until it has ended, then run again.';
  end if;

  call multi_pair_db.expect(jsonb_build_object('index', index_name, 'table', table_name, 'definition', definition));

  select x.indisvalid and x.indisready and x.indislive
  into serves
  from pg_index as x
  where x.indexrelid = found
    and not (x.indisvalid and x.indisready and x.indislive and multi_pair_db.index_definition(x.indexrelid) = definition);
  if serves is null then
    return;
  end if;

  -- A run that was killed has set one aside already: that one serves, and this one is spare.
  serves := serves and to_regclass(quote_ident(index_name || '__set_aside')) is null;
  spare_name := index_name || case when serves then '__set_aside' else '__broken' end;
  if to_regclass(quote_ident(spare_name)) is not null then
    call multi_pair_db.lock_briefly(table_name);
    execute format('drop index %I', spare_name);
  end if;
  execute format('alter index %I rename to %I', index_name, spare_name);
  raise info '%: % is %', file, index_name,
    case when serves then 'defined otherwise; it serves until its successor stands' else 'INVALID, or spare; it is replaced' end;
end
$procedure$;
--> statement-breakpoint
-- expect_column: says what a column has to be when the file ends. Refuses one of its name that has another type: an older
-- attempt may have added it, and what it means is not ours to guess.
create or replace procedure multi_pair_db.expect_column(table_name text, column_name text, type text)
language plpgsql
as $procedure$
declare
  file constant text := multi_pair_db.entered();
  fault text;
begin
  if to_regclass(quote_ident(table_name)) is null then
    raise exception '%: the table % is missing', file, table_name
      using errcode = 'undefined_table', hint = 'Run the migrations before this one first, or check that this is the right database.';
  end if;

  select format('%I.%I is %s%s, not %s', table_name, column_name, format_type(a.atttypid, a.atttypmod),
                case when a.attgenerated <> '' or a.attidentity <> '' then ' (generated)' else '' end, type)
  into fault
  from pg_attribute as a
  where a.attrelid = to_regclass(quote_ident(table_name)) and a.attname = column_name and not a.attisdropped
    and (format_type(a.atttypid, a.atttypmod) <> type or a.attgenerated <> '' or a.attidentity <> '');

  if fault is not null then
    raise exception '%: a column of an older attempt is in the way: %', file, fault
      using errcode = 'datatype_mismatch',
            hint = 'Nothing was changed. Give the column the expected type or rename it, then run again.';
  end if;

  call multi_pair_db.expect(jsonb_build_object('column', column_name, 'table', table_name, 'definition', type));
end
$procedure$;
--> statement-breakpoint
-- expect: keeps what the file expects, for `prove`, in a setting of the session.
create or replace procedure multi_pair_db.expect(item jsonb)
language plpgsql
as $procedure$
begin
  perform set_config('multi_pair_db.expected', (current_setting('multi_pair_db.expected')::jsonb || item)::text, false);
end
$procedure$;
--> statement-breakpoint
-- require_column: refuses where an earlier file has not made a column that this one works on.
create or replace procedure multi_pair_db.require_column(table_name text, column_name text, made_by text)
language plpgsql
as $procedure$
begin
  if not exists (
    select from pg_attribute
    where attrelid = to_regclass(quote_ident(table_name)) and attname = column_name and not attisdropped
  ) then
    raise exception '%: %.% is missing; nothing was changed', multi_pair_db.entered(), table_name, column_name
      using errcode = 'undefined_column', hint = format('Run %s first, or check that this is the right database.', made_by);
  end if;
end
$procedure$;
--> statement-breakpoint
-- lock_briefly: takes ACCESS EXCLUSIVE on tables in short tries, until the end of the transaction. Whoever comes while it
-- waits for the lock queues behind it, so it waits for 50 ms at most and then lets everybody pass. What follows has to be
-- done in milliseconds, and in the same message: a lock that is held over a client's round trip is felt.
create or replace procedure multi_pair_db.lock_briefly(variadic table_names text[])
language plpgsql
as $procedure$
declare
  file constant text := multi_pair_db.entered();
  tables constant text := (select string_agg(quote_ident(name), ', ') from unnest(table_names) as name);
  -- Two minutes, unless the runner says otherwise: longer than any transaction of a healthy trading service.
  give_up_at constant timestamptz := clock_timestamp()
    + coalesce(nullif(current_setting('multi_pair_db.max_wait', true), ''), '2 min')::interval;
  tries integer := 0;
  holders text;
begin
  loop
    tries := tries + 1;
    begin
      -- First a lock that is in no reader's or writer's way: an autovacuum gives it up, but only to who waits longer than
      -- deadlock_timeout, which is 1 s.
      perform set_config('lock_timeout', '3s', true);
      execute format('lock table %s in share update exclusive mode', tables);
      perform set_config('lock_timeout', '50ms', true);
      execute format('lock table %s in access exclusive mode', tables);
      return;
    exception
      when lock_not_available then
        if clock_timestamp() >= give_up_at then
          select string_agg(distinct case
            when l.pid is null then 'a prepared transaction (see pg_prepared_xacts)'
            else format('pid %s (%s, %s for %s s)', l.pid, s.application_name, s.state, round(extract(epoch from clock_timestamp() - s.xact_start)))
          end, '; ')
          into holders
          from pg_locks as l
          left join pg_stat_activity as s on s.pid = l.pid
          where l.locktype = 'relation' and l.granted and l.pid is distinct from pg_backend_pid()
            and l.relation in (select to_regclass(quote_ident(name)) from unnest(table_names) as name)
            and l.database = (select oid from pg_database where datname = current_database());

          raise exception '%: could not lock % in % tries', file, tables, tries
            using errcode = 'lock_not_available', detail = format('The lock is held by %s', coalesce(holders, 'nobody any more')),
                  hint = 'Nothing on these tables was changed. Let these transactions end, then run again.';
        end if;
    end;
    -- Jitter, so as not to meet a periodic job each time.
    perform pg_sleep(0.2 + random() * 0.2);
  end loop;
end
$procedure$;
--> statement-breakpoint
-- reason_to_rest: why a run had better not go on right now, as `word: what is said`; null where nothing speaks against it.
-- An operator has paused it; the WAL archive fails, so that the disk fills up; or a standby has not replayed for longer
-- than multi_pair_db.max_replica_lag what was written here (10 s; 0 asks no standby, for one that is late on purpose).
create or replace function multi_pair_db.reason_to_rest()
returns text
language plpgsql
as $function$
declare
  reason text;
  max_lag constant interval := coalesce(nullif(current_setting('multi_pair_db.max_replica_lag', true), ''), '10 s')::interval;
  -- What a standby has to have replayed, and since when it should: `position|time|is it rested for`.
  mark constant text[] := string_to_array(nullif(current_setting('multi_pair_db.replay_mark', true), ''), '|');
  standby record;
  due_since timestamptz := clock_timestamp();
begin
  select format('pause: paused by %s since %s%s', paused_by, to_char(paused_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS UTC'), ': ' || p.reason)
  into reason
  from multi_pair_db.pause as p;
  if reason is not null then
    return reason;
  end if;

  -- A command that fails is tried again once a minute; an older failure is of a command that is no longer there.
  select format('archive: the WAL archive fails since %s, last with %s', to_char(last_failed_time at time zone 'UTC', 'HH24:MI:SS UTC'), last_failed_wal)
  into reason
  from pg_stat_archiver
  where current_setting('archive_mode') <> 'off'
    and last_failed_time > coalesce(last_archived_time, '-infinity') and last_failed_time > clock_timestamp() - interval '10 min';
  if reason is not null or max_lag <= interval '0' or pg_is_in_recovery() then
    return reason;
  end if;

  -- Standbys that are connected; not the subscribers of a logical slot, who confirm when it suits them. The one that is
  -- furthest behind decides. How late a standby is that replays nothing, replay_lag does not say: hence the mark.
  select min(r.replay_lsn) as replay_lsn, max(r.replay_lag) as replay_lag, bool_or(r.state is null) as is_hidden,
         (array_agg(coalesce(nullif(r.application_name, ''), 'unknown') order by r.replay_lsn))[1] as name
  into standby
  from pg_stat_replication as r
  where (r.state is null or r.state in ('catchup', 'streaming') and r.replay_lsn is not null)
    and not exists (select from pg_replication_slots as s where s.active_pid = r.pid and s.slot_type = 'logical');

  if standby.is_hidden and current_setting('multi_pair_db.lag_is_hidden', true) is distinct from 'yes' then
    perform set_config('multi_pair_db.lag_is_hidden', 'yes', false);
    raise info '%: whether standbys keep up is hidden from this role; a member of pg_monitor would see it', multi_pair_db.entered();
  end if;

  if standby.replay_lsn is null then
    perform set_config('multi_pair_db.replay_mark', '', false);
    return null;
  end if;
  if mark is not null and standby.replay_lsn < mark[1]::pg_lsn then
    due_since := mark[2]::timestamptz;
  elsif standby.replay_lag > max_lag and standby.replay_lsn < pg_current_wal_lsn() then
    due_since := due_since - standby.replay_lag;
  else
    perform set_config('multi_pair_db.replay_mark', format('%s|%s|no', pg_current_wal_lsn(), due_since), false);
    return null;
  end if;

  if mark[3] is distinct from 'yes' then
    if clock_timestamp() - due_since <= max_lag then
      return null;
    end if;
    -- All that is written so far has to be there before it goes on: else the next batches would come on top.
    perform set_config('multi_pair_db.replay_mark', format('%s|%s|yes', pg_current_wal_lsn(), due_since), false);
  end if;
  return format('lag: standby %s has not replayed for %s s what was written here', standby.name, round(extract(epoch from clock_timestamp() - due_since)));
end
$function$;
--> statement-breakpoint
-- rest: commits a batch, and rests for as long as there is reason to; also called between two builds. Every transaction in it
-- is short, because builds of others wait for each.
--
-- A runner that measures what trading feels (the canary of `multi-pair-db migrate`) holds one advisory lock as long as it
-- does, and another while trading is slow: of a runner that dies nothing is left. Where nobody measures, it rests for as
-- long as the batch took (1 s at most).
create or replace procedure multi_pair_db.rest()
language plpgsql
as $procedure$
declare
  file constant text := multi_pair_db.entered();
  took constant double precision := extract(epoch from clock_timestamp() - transaction_timestamp());
  rested_for text;
  reason text;
  began timestamptz;
  told_at timestamptz;
begin
  commit;
  began := clock_timestamp();
  if pg_try_advisory_xact_lock_shared(hashtextextended('multi-pair-db canary', 0)) then
    perform pg_sleep(least(1, took));
  else
    -- 2 s at most: trading that is slow for reasons of its own does not stop the run for good.
    for look in 1..200 loop
      commit;
      exit when pg_try_advisory_xact_lock_shared(hashtextextended('multi-pair-db slow', 0));
      rested_for := 'trade';
      perform pg_sleep(0.01);
    end loop;
  end if;
  commit;

  -- Four looks a second are enough, and cost nothing beside the batches.
  if clock_timestamp() >= coalesce(nullif(current_setting('multi_pair_db.look_again_at', true), ''), '-infinity')::timestamptz then
    loop
      reason := multi_pair_db.reason_to_rest();
      exit when reason is null;
      if rested_for is distinct from split_part(reason, ':', 1) or told_at < clock_timestamp() - interval '30 s' then
        raise info '%: rests: %', file, reason;
        rested_for := split_part(reason, ':', 1);
        told_at := clock_timestamp();
      end if;
      commit;
      perform pg_sleep(0.2);
      -- What others do is read anew in the next transaction.
      commit;
    end loop;
    perform set_config('multi_pair_db.look_again_at', (clock_timestamp() + interval '250 ms')::text, false);
  end if;

  if rested_for is not null and clock_timestamp() - began >= interval '100 ms' then
    raise info '%: rested for % ms: %', file, round(extract(epoch from clock_timestamp() - began) * 1000), rested_for;
  end if;
  -- The next batch is measured from here.
  commit;
end
$procedure$;
--> statement-breakpoint
-- prove: ends the work. Fails unless all that the file expects is there, valid and as defined; puts the limits back.
create or replace procedure multi_pair_db.prove(file text)
language plpgsql
as $procedure$
declare
  faults text;
begin
  if multi_pair_db.entered() <> file then
    raise exception '%: this session is in %', file, multi_pair_db.entered() using errcode = 'object_not_in_prerequisite_state';
  end if;

  select string_agg(format('%s is %s', e.name, case
    when e.found is null then 'missing'
    when not e.valid then 'INVALID'
    else 'defined otherwise: ' || e.found
  end), '; ' order by e.name)
  into faults
  from (
    select i ->> 'index' as name, i ->> 'definition' as wanted, multi_pair_db.index_definition(x.indexrelid) as found,
           x.indisvalid and x.indisready and x.indislive and x.indrelid = to_regclass(quote_ident(i ->> 'table')) as valid
    from jsonb_array_elements(current_setting('multi_pair_db.expected')::jsonb) as i
    left join pg_index as x on x.indexrelid = to_regclass(quote_ident(i ->> 'index'))
    where i ? 'index'
    union all
    select (i ->> 'table') || '.' || (i ->> 'column'), i ->> 'definition', format_type(a.atttypid, a.atttypmod), true
    from jsonb_array_elements(current_setting('multi_pair_db.expected')::jsonb) as i
    left join pg_attribute as a on a.attrelid = to_regclass(quote_ident(i ->> 'table')) and a.attname = i ->> 'column'
      and not a.attisdropped
    where i ? 'column'
  ) as e
  where e.found is distinct from e.wanted or not e.valid;

  if faults is not null then
    raise exception '%: not all is valid and as defined: %', file, faults
      using errcode = 'object_not_in_prerequisite_state', hint = 'What is built stays. Run again: it is repaired then.';
  end if;

  call multi_pair_db.keep_one_owner();
  call multi_pair_db.put_limits_back();
  perform set_config('multi_pair_db.proven', file, false);
end
$procedure$;
--> statement-breakpoint
-- keep_one_owner: what a superuser has made in this schema goes to the schema's owner, who is the owner of the tables: the
-- next run may be his.
create or replace procedure multi_pair_db.keep_one_owner()
language plpgsql
as $procedure$
declare
  owner oid;
  statement text;
begin
  select nspowner into owner from pg_namespace where nspname = 'multi_pair_db';
  if not (select rolsuper from pg_roles where rolname = current_user) then
    return;
  end if;
  for statement in
    select format('alter routine %s owner to %I', p.oid::regprocedure, pg_get_userbyid(owner))
    from pg_proc as p
    where p.pronamespace = 'multi_pair_db'::regnamespace and p.proowner <> owner
    union all
    select format('alter table %s owner to %I', c.oid::regclass, pg_get_userbyid(owner))
    from pg_class as c
    where c.relnamespace = 'multi_pair_db'::regnamespace and c.relkind in ('r', 'p') and c.relowner <> owner
  loop
    execute statement;
  end loop;
end
$procedure$;
--> statement-breakpoint
-- hand_over: the lock passes to the transaction that writes the journal row, and ends with it: there is no moment without
-- it, and no lock that a pooled connection would keep. So does the name of the file, for that row.
create or replace procedure multi_pair_db.hand_over()
language plpgsql
as $procedure$
begin
  perform set_config('multi_pair_db.handed_over', current_setting('multi_pair_db.proven', true), true),
          set_config('multi_pair_db.proven', '', false);
  perform pg_try_advisory_xact_lock(hashtextextended('multi-pair-db', 0));
  perform pg_advisory_unlock(hashtextextended('multi-pair-db', 0));
end
$procedure$;
--> statement-breakpoint
-- forget: takes the journal row of a file away, with the work that undoes it. By its stamp, to the second: that is all that
-- drizzle-kit 1.0 knows. Also from drizzle's default journal, where somebody has used that.
create or replace procedure multi_pair_db.forget(file text, created_at_ms bigint)
language plpgsql
as $procedure$
declare
  journal text;
begin
  perform multi_pair_db.entered();
  for journal in
    select c.oid::regclass::text
    from pg_class as c
    join pg_namespace as n on n.oid = c.relnamespace
    where (n.nspname, c.relname) in (('multi_pair_db', 'migrations'), ('drizzle', '__drizzle_migrations'))
      and has_schema_privilege(n.oid, 'usage')
  loop
    execute format('delete from %s where created_at / 1000 = $1 / 1000', journal) using created_at_ms;
  end loop;
end
$procedure$;
--> statement-breakpoint
-- clear_undo: who goes forward after an undo that broke off drops what it has left: the triggers, by which each write to
-- their tables is noted for it, and its drafts. What stands in undo_… is of an undo that has ended, and stays.
create or replace procedure multi_pair_db.clear_undo()
language plpgsql
as $procedure$
declare
  note_change constant regprocedure := to_regprocedure('multi_pair_db.note_change()');
  noted record;
begin
  perform multi_pair_db.entered();
  if note_change is not null then
    call multi_pair_db.lock_briefly('sessions', 'orders');
    for noted in select tgname, tgrelid::regclass as table_name from pg_trigger where tgfoid = note_change loop
      execute format('drop trigger %I on %s', noted.tgname, noted.table_name);
    end loop;
    drop function multi_pair_db.note_change();
    -- Somebody may read the drafts: no trade waits for him.
    commit;
  end if;
  drop table if exists multi_pair_db.undo_changes, multi_pair_db.undo_sessions_draft, multi_pair_db.undo_orders_draft;
  drop procedure if exists multi_pair_db.take_up_changes(integer, integer);
end
$procedure$;
--> statement-breakpoint
-- leave: ends a file that no runner records: proves what it expects, puts the limits back, and gives the lock back.
create or replace procedure multi_pair_db.leave()
language plpgsql
as $procedure$
begin
  call multi_pair_db.prove(multi_pair_db.entered());
  perform set_config('multi_pair_db.proven', '', false);
  perform pg_advisory_unlock(hashtextextended('multi-pair-db', 0));
end
$procedure$;
--> statement-breakpoint
do $owner$
declare
  owner constant name := (select pg_get_userbyid(relowner) from pg_class where oid = to_regclass('sessions'));
begin
  -- A superuser may run this file, and the owner of the tables a later one.
  if owner <> current_user and (select rolsuper from pg_roles where rolname = current_user) then
    execute format('alter schema multi_pair_db owner to %I', owner);
    call multi_pair_db.keep_one_owner();
  end if;
end
$owner$;
--> statement-breakpoint
call multi_pair_db.enter('0000_baseline');
--> statement-breakpoint
commit;
--> statement-breakpoint
do $missing$
declare
  addition record;
  too_large text[] := '{}';
begin
  for addition in
    select array[i.table_name] as tables, i.table_name, format('create index %I on %I (%s)', i.name, i.table_name, i.columns) as in_place,
           format('create index concurrently %I on %I (%s)', i.name, i.table_name, i.columns) as online
    from (values
      ('idx_sessions_symbol', 'sessions', 'symbol'),
      ('idx_sessions_status', 'sessions', 'status'),
      ('idx_sessions_startedat', 'sessions', 'startedat'),
      ('idx_sessions_starttimestamp', 'sessions', 'starttimestamp'),
      ('idx_sessions_completedat', 'sessions', 'completedat'),
      ('idx_sessions_exchange', 'sessions', 'exchange'),
      ('idx_sessions_settlement', 'sessions', 'settledcomplete, lastsettleattempt'),
      ('idx_sessions_tradingmode', 'sessions', 'tradingmode'),
      ('idx_orders_sessionid', 'orders', 'sessionid'),
      ('idx_orders_status', 'orders', 'status'),
      ('idx_orders_side', 'orders', 'side'),
      ('idx_orders_symbol', 'orders', 'symbol'),
      ('idx_orders_timestamp', 'orders', '"timestamp"'),
      ('idx_orders_clientorderid', 'orders', 'clientorderid'),
      ('idx_orders_composite', 'orders', 'sessionid, status, side'),
      ('idx_fills_orderid', 'fills', 'orderid'),
      ('idx_fills_sessionid', 'fills', 'sessionid'),
      ('idx_fills_symbol', 'fills', 'symbol'),
      ('idx_fills_timestamp', 'fills', '"timestamp"'),
      ('idx_fills_composite', 'fills', 'sessionid, orderid, "timestamp"')
    ) as i (name, table_name, columns)
    where not exists (
      select from pg_index as x
      join pg_class as c on c.oid = x.indexrelid
      where x.indrelid = to_regclass(i.table_name) and c.relname = i.name)
    union all
    select array[f.table_name, f.target], f.table_name, f.addition, format('%s not valid; alter table %I validate constraint %I', f.addition, f.table_name, f.name)
    from (
      select k.table_name, k.name, k.target,
             format('alter table %I add constraint %I foreign key (%I) references %I (id)', k.table_name, k.name, k.col, k.target) as addition
      from (values
        ('fk_orders_sessionid', 'orders', 'sessionid', 'sessions'),
        ('fk_fills_orderid', 'fills', 'orderid', 'orders'),
        ('fk_fills_sessionid', 'fills', 'sessionid', 'sessions')
      ) as k (name, table_name, col, target)
    ) as f
    where not exists (
      select from pg_constraint as c where c.conrelid = to_regclass(f.table_name) and c.conname = f.name)
  loop
    if pg_relation_size(to_regclass(addition.table_name)) <= 8 * 1024 * 1024 then
      -- One after the other, each a transaction of this one message.
      call multi_pair_db.lock_briefly(variadic addition.tables);
      execute addition.in_place;
      commit;
    else
      too_large := too_large || addition.online;
    end if;
  end loop;

  if too_large <> '{}' then
    raise exception '0000_baseline: % missing on tables too large to add them in place', cardinality(too_large)
      using errcode = 'object_not_in_prerequisite_state',
            detail = array_to_string(too_large, '; '),
            hint = 'Nothing of these was changed. Run the statements named in the detail, one by one, then run again.';
  end if;
end
$missing$;
--> statement-breakpoint
call multi_pair_db.prove('0000_baseline');
--> statement-breakpoint
begin;
--> statement-breakpoint
call multi_pair_db.hand_over();
