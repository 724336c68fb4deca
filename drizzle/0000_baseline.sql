-- 0000_baseline: the single-pair schema (three tables, 20 indexes, three foreign keys), as it is live.
--
-- What:   creates what is missing and changes nothing that exists. On the live database it is a no-op; it refuses
--         where a column that it expects is missing or has another type, and names the column.
-- Locks:  none on a live table that is complete. A missing index or foreign key is added in place, writers waiting,
--         only where the table is under 8 MB (some ten milliseconds); for a larger table the file refuses and says
--         which statements build it without blocking anyone.
-- Runs:   in one transaction. At once with another migration of this database: refuses.
-- Undo:   none. This is the ground; take it away by restoring a backup.
--
-- With psql: psql -v ON_ERROR_STOP=1 -f. Without it psql goes on after a refusal.

do $refuse$
begin
  -- The transaction's own lock: it ends with the transaction that also writes the journal row.
  if not pg_try_advisory_xact_lock(hashtextextended('multi-pair-db', 0)) then
    raise exception '0000_baseline: another migration of this database is running; nothing was changed'
      using errcode = 'lock_not_available', hint = 'Wait until it has ended, then run again.';
  end if;

  -- A runner that read the journal before another one finished would record the file twice. Only a runner is inside
  -- a transaction here (the clock has moved since it began); psql -f is not, and may run a file again to heal.
  if now() < statement_timestamp() and to_regclass('drizzle.__drizzle_migrations') is not null then
    if exists (select from drizzle.__drizzle_migrations where created_at >= 1795392593795) then
      raise exception '0000_baseline: another run has applied it in the meantime; nothing was changed'
        using errcode = 'object_not_in_prerequisite_state', hint = 'Run again: what is done is then skipped.';
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
  -- New tables go into the first schema of the search path: beside live ones in another schema they would hide them.
  select string_agg(c.oid::regclass::text || ' of schema ' || quote_ident(c.relnamespace::regnamespace::text), '; ')
  into faults
  from jsonb_object_keys(expected) as t (name)
  join pg_class as c on c.oid = to_regclass(t.name)
  where c.relnamespace::regnamespace::text <> current_schema();

  if faults is not null then
    raise exception '0000_baseline: new objects would go to schema %, but the live tables are elsewhere: %', current_schema(), faults
      using errcode = 'invalid_schema_name', hint = 'Nothing was changed. Set search_path to the schema of the live tables first.';
  end if;

  perform set_config('quote_all_identifiers', 'off', true);
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
do $missing$
declare
  addition record;
  too_large text[] := '{}';
begin
  -- What a missing index needs, a live table gives at once or not at all: who comes while we wait queues behind us.
  perform set_config('lock_timeout', '50ms', true);

  for addition in
    select i.table_name, format('create index %I on %I (%s)', i.name, i.table_name, i.columns) as in_place,
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
    select f.table_name, f.addition, format('%s not valid; alter table %I validate constraint %I', f.addition, f.table_name, f.name)
    from (
      select k.table_name, k.name,
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
      execute addition.in_place;
    else
      too_large := too_large || addition.online;
    end if;
  end loop;

  if too_large <> '{}' then
    raise exception '0000_baseline: % missing on tables too large to add them in place', cardinality(too_large)
      using errcode = 'object_not_in_prerequisite_state',
            detail = array_to_string(too_large, '; '),
            hint = 'Nothing was changed. Run the statements named in the detail, one by one, then run again.';
  end if;
end
$missing$;
