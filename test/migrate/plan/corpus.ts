import type { LockMode, Rewrite } from '../../../src/migrate/project.ts';

/** A statement, and what the plan has to say of it. */
export interface CorpusEntry {
  readonly sql: string;
  /** The strongest lock that is certain. */
  readonly lock: LockMode | 'none' | 'not known';
  readonly rewrite: Rewrite | 'not known';
  /** First major version that knows it. */
  readonly since?: number;
  /**
   * It refuses a transaction. Another session locks a table, so that it waits, and what it asks for is looked at from a
   * third. By default in a mode that lets its first look pass: VACUUM opens the table as any reader before it locks it.
   * `undo` takes back what it has left.
   */
  readonly alone?: { readonly table: string; readonly mode?: string; readonly undo?: string };
}

/** Tables of every kind that a statement may meet. They stand before each of the statements, which are rolled back. */
export const corpusSchema = `
create schema s2;
create table o (id int primary key, name text);
create table a (id int primary key, b varchar(10), c int not null, d text, o_id int references o (id), u int,
  constraint c_positive check (c > 0));
create table r (id int primary key, a_id int references a (id) on delete cascade);
create index a_c on a (c);
create unique index a_u on a (u);
create unique index a_id_b on a (id);
create table nulls (n int, t text, constraint n_there check (n is not null));
create table s2.a (id int, "Mixed" text);
create table "Odd Name" (id int, "Col" int);
create table base (x int, y text);
create table kid () inherits (base);
create table p (id int, v text) partition by range (id);
create table p1 partition of p for values from (0) to (10);
create table pd partition of p default;
create table q (id int, v text);
create table p3 (id int) partition by range (id);
create table p3_low partition of p3 for values from (0) to (10);
create table ref (id int primary key);
create table refs (ref_id int references ref (id));
create unlogged table l (id int);
create domain positive as int check (value > 0);
create sequence numbers owned by a.c;
create view v as select a.id, o.name from a join o on o.id = a.o_id;
create materialized view m as select id, name from o;
create unique index m_id on m (id);
create function answer() returns int language plpgsql as 'begin lock table o in exclusive mode; return 42; end';
create function noted() returns trigger language plpgsql as 'begin return new; end';
create trigger t_noted before insert on a for each row when (new.c < 0) execute function noted();
create policy everyone on a using (true);
create rule keep as on delete to nulls do instead nothing;
create statistics a_stats on b, c from a;
create type mood as enum ('sad', 'happy');
create procedure work() language plpgsql as 'begin lock table r in share mode; end';
insert into o values (1, 'one'), (2, 'two');
insert into a values (1, 'x', 1, 'd', 1, 1), (2, 'y', 2, null, null, 2);
insert into r values (1, 1);
insert into p values (1, 'low'), (100, 'high');
insert into base values (1, 'base');
insert into kid values (2, 'kid');
refresh materialized view m;
`;

const entry =
  (lock: CorpusEntry['lock'], rewrite: CorpusEntry['rewrite']) =>
  (sql: string, more: Partial<CorpusEntry> = {}): CorpusEntry => ({ sql, lock, rewrite, ...more });

const rewrites = entry('ACCESS EXCLUSIVE', 'yes');
const mayRewrite = entry('ACCESS EXCLUSIVE', 'depends');
const exclusive = entry('ACCESS EXCLUSIVE', 'no');
const triggers = entry('SHARE ROW EXCLUSIVE', 'no');
const writersWait = entry('SHARE', 'no');
const shared = entry('SHARE UPDATE EXCLUSIVE', 'no');
const writes = entry('ROW EXCLUSIVE', 'no');
const locksRows = entry('ROW SHARE', 'no');
const reads = entry('ACCESS SHARE', 'no');
const free = entry('none', 'no');
const notKnown = entry('not known', 'not known');

export const corpus: readonly CorpusEntry[] = [
  // Columns that are added.
  exclusive('alter table a add column e int'),
  exclusive("alter table a add e text default 'x' not null"),
  exclusive("alter table a add column if not exists e jsonb default '{}'::jsonb"),
  exclusive('alter table a add column e timestamptz default now()'),
  exclusive('alter table a add column e timestamptz default current_timestamp'),
  exclusive("alter table a add column e text[] default array['a', 'b']"),
  exclusive('alter table a add column e int default -1 check (e < 0)'),
  exclusive('alter table a add column e int references o (id)'),
  exclusive('alter table a add column e int unique'),
  rewrites('alter table a add column e uuid default gen_random_uuid()'),
  rewrites('alter table only s2.a add column e double precision default random()'),
  mayRewrite('alter table a add column if not exists d uuid default gen_random_uuid()'),
  rewrites('alter table a add column e serial'),
  rewrites('alter table a add column e int generated always as identity'),
  rewrites('alter table a add column e int generated always as (c * 2) stored'),
  exclusive('alter table a add column e int generated always as (c * 2) virtual', { since: 18 }),
  mayRewrite('alter table a add column e positive'),
  mayRewrite('alter table a add column e mood'),
  mayRewrite('alter table q add column e int default answer()'),
  mayRewrite("alter table a add column e int default length('abc')"),
  // Columns that change.
  mayRewrite('alter table a alter column b type varchar(20)'),
  mayRewrite('alter table a alter b set data type text'),
  mayRewrite('alter table a alter column u type bigint'),
  mayRewrite('alter table a alter column d type int using length(d)'),
  mayRewrite('alter table ref alter column id type bigint'),
  mayRewrite('alter table refs alter column ref_id type bigint'),
  exclusive('alter table a alter column c set default 3'),
  exclusive('alter table a alter column c drop default'),
  exclusive('alter table a alter column u set not null'),
  exclusive('alter table nulls alter column n set not null'),
  exclusive('alter table a alter column c drop not null'),
  exclusive('alter table a drop column d'),
  exclusive('alter table r drop column a_id'),
  exclusive('alter table a drop column if exists nothing'),
  exclusive('alter table a alter column id add generated always as identity'),
  exclusive('alter table a alter column d set storage external'),
  exclusive('alter table a alter column d set compression pglz'),
  shared('alter table a alter column b set statistics 500'),
  shared('alter table a alter column b set (n_distinct = 5)'),
  // Constraints.
  exclusive('alter table a add constraint k check (c < 100)'),
  exclusive('alter table a add constraint k check (c < 100) not valid'),
  exclusive('alter table nulls add constraint k not null n not valid', { since: 18 }),
  triggers('alter table q add constraint k foreign key (id) references o (id) not valid'),
  triggers(
    'alter table nulls add foreign key (n) references ref (id), add foreign key (n) references o (id)',
  ),
  triggers('alter table nulls add constraint k foreign key (n) references o (id)'),
  exclusive('alter table q add primary key (id)'),
  exclusive('alter table a add constraint k unique using index a_u'),
  exclusive('alter table a add constraint k unique (d, b)'),
  shared('alter table a validate constraint c_positive'),
  shared('alter table a validate constraint a_o_id_fkey'),
  exclusive('alter table a drop constraint c_positive'),
  exclusive('alter table a drop constraint a_o_id_fkey'),
  exclusive('alter table ref drop constraint ref_pkey cascade'),
  exclusive('alter table a alter constraint a_o_id_fkey deferrable'),
  // The whole table.
  mayRewrite('alter table l set logged'),
  mayRewrite('alter table q set unlogged'),
  mayRewrite('alter table q set tablespace pg_default'),
  mayRewrite('alter table q set access method heap'),
  shared('alter table a set (fillfactor = 70)'),
  shared(
    'alter table a reset (fillfactor), set (autovacuum_enabled = false, toast.autovacuum_enabled = false)',
  ),
  exclusive('alter table a set (user_catalog_table = true)'),
  shared('alter table a cluster on a_c'),
  exclusive('alter table a replica identity full'),
  exclusive('alter table a enable row level security'),
  exclusive('alter table a owner to current_user'),
  exclusive('alter table a rename to b'),
  exclusive('alter table a rename column b to bb'),
  exclusive('alter table base rename column x to xx'),
  exclusive('alter table a rename constraint c_positive to k'),
  exclusive('alter table q set schema s2'),
  exclusive('alter table "Odd Name" rename "Col" to col'),
  exclusive('/* why */ ALTER TABLE s2.a -- and\n ADD COLUMN "E" text'),
  triggers('alter table a disable trigger t_noted'),
  triggers('alter table a enable always trigger t_noted'),
  exclusive('alter table nulls disable rule keep'),
  exclusive('alter table a set (fillfactor = 70), alter column c set default 1'),
  exclusive('alter table base add column z int'),
  exclusive('alter table p add column z int'),
  rewrites('alter table p add column z uuid default gen_random_uuid()'),
  mayRewrite('alter table p alter column v type varchar(20)'),
  // Partitions and children.
  exclusive('create table p2 partition of p for values from (20) to (30)'),
  exclusive('alter table p attach partition q for values from (40) to (50)'),
  exclusive('alter table p detach partition p1'),
  exclusive('alter table p3 detach partition p3_low concurrently', {
    alone: {
      table: 'p3_low',
      mode: 'access share',
      undo: 'alter table p3 attach partition p3_low for values from (0) to (10)',
    },
  }),
  exclusive('alter table kid no inherit base'),
  shared('create table kid2 () inherits (base)'),
  // Indexes.
  writersWait('create index on a (d)'),
  writersWait('create unique index if not exists a_c on a (d)'),
  writersWait('create index on p (id)'),
  exclusive('drop index a_c'),
  free('alter index a_c rename to a_c2'),
  free('alter index a_c set (fillfactor = 70)'),
  writersWait('reindex index a_c'),
  writersWait('reindex table a'),
  shared('create index concurrently a_d on a (d)', { alone: { table: 'a', undo: 'drop index a_d' } }),
  shared('create unique index concurrently if not exists a_c on a (c)', { alone: { table: 'a' } }),
  shared('drop index concurrently a_u', {
    alone: { table: 'a', undo: 'create unique index a_u on a (u)' },
  }),
  shared('reindex (verbose) index concurrently a_c', { alone: { table: 'a' } }),
  shared('reindex (concurrently) table a', { alone: { table: 'a' } }),
  // Maintenance.
  rewrites('vacuum full a', { alone: { table: 'a' } }),
  rewrites('vacuum (full, analyze) q', { alone: { table: 'q' } }),
  shared('vacuum (full false) a', { alone: { table: 'a' } }),
  shared('vacuum analyze a', { alone: { table: 'a' } }),
  shared('analyze a'),
  shared('analyze base'),
  rewrites('cluster a using a_c'),
  rewrites('truncate q'),
  rewrites('truncate a, r restart identity'),
  rewrites('truncate o cascade'),
  rewrites('refresh materialized view m'),
  entry('EXCLUSIVE', 'no')('refresh materialized view concurrently m'),
  // What is made and what goes.
  free('create table fresh (id int primary key, n int check (n > 0))'),
  triggers('create table fresh (id int references o (id), other int, foreign key (other) references a (id))'),
  free('create table if not exists a (id int references o (id))'),
  reads('create table fresh (like a including all)'),
  reads('create table fresh as select * from a where c > 0'),
  reads('select * into fresh from a'),
  reads('create view w as select * from a join o using (id)'),
  reads('create materialized view w as select count(*) from s2.a'),
  exclusive('drop table q'),
  exclusive('drop table r'),
  exclusive('drop table a cascade'),
  exclusive('drop table p1'),
  exclusive('drop table p'),
  exclusive('drop materialized view m'),
  free('drop view v'),
  exclusive('drop trigger t_noted on a'),
  exclusive('drop policy everyone on a'),
  exclusive('drop rule keep on nulls'),
  triggers('create trigger t2 after update on a for each row execute function noted()'),
  triggers('create trigger t2 after insert on p for each row execute function noted()'),
  exclusive('create policy mine on a using (exists (select from o where o.id = a.o_id))'),
  exclusive('alter policy everyone on a using (false)'),
  exclusive('create rule into_o as on insert to q do also select 1'),
  shared('create statistics q_stats on id, v from q'),
  free('create sequence more'),
  free('create sequence more owned by q.id'),
  free('alter sequence numbers owned by q.id'),
  free('alter sequence numbers restart'),
  free("alter type mood add value 'calm'"),
  free('create type pair as (x int, y int)'),
  free('create schema s3'),
  free('create function plus(x int) returns int language plpgsql as $$ begin return x + 1; end $$'),
  free('create function first_a() returns int language sql as $$ select id from a limit 1 $$'),
  // Small things.
  shared("comment on table a is 'why'"),
  shared('comment on column s2.a."Mixed" is \'why\''),
  reads("comment on constraint c_positive on a is 'why'"),
  free("comment on index a_c is 'why'"),
  free("comment on schema s2 is 'why'"),
  free('grant select on a to public'),
  free('revoke all on all tables in schema s2 from public'),
  free("set local lock_timeout = '1s'"),
  free("select set_config('lock_timeout', '1s', true)"),
  free('select pg_get_constraintdef(oid) from pg_constraint'),
  // Rows.
  entry('EXCLUSIVE', 'no')('lock table a in exclusive mode'),
  writersWait('lock table base, o in share mode'),
  reads('select * from a where id in (select a_id from r)'),
  reads('with a as (select * from o) select * from a'),
  reads(
    'with recursive n as (select 1 as i union all select i + 1 from n where i < 3) select * from n join q on q.id = n.i',
  ),
  reads('select * from v'),
  locksRows('select * from a join o on o.id = a.o_id for update of a'),
  locksRows('select * from a x, o y where x.id = y.id for share of y skip locked'),
  locksRows('select * from base for no key update'),
  writes('insert into a (id, c, o_id) values (10, 1, 1)'),
  writes('insert into p values (3)'),
  writes('insert into q select id, d from a on conflict do nothing'),
  writes('update a set d = lower(d) where id = 1'),
  writes('update only base set x = x + 1'),
  writes('update o set id = 9 where id = 2'),
  writes('delete from a using o where o.id = a.o_id'),
  writes('with gone as (delete from r returning a_id) insert into q select a_id from gone'),
  writes(
    'merge into q using a on a.id = q.id when matched then update set v = a.d when not matched then insert values (a.id)',
  ),
  reads('explain (costs off) select * from a'),
  reads('declare c cursor for select * from a'),
  // Several at once: of each table the strongest.
  exclusive('update a set d = null; alter table a add column e int; select * from o'),
  rewrites('select 1; alter table q alter column id type bigint; truncate l'),
  shared("comment on table a is 'x'; analyze o"),
  // What may do anything.
  notKnown('select answer()'),
  notKnown('update a set c = answer()'),
  notKnown('call work()'),
  notKnown('do $x$ begin lock table o in share mode; end $x$'),
  notKnown('alter table a add column e int; do $x$ begin end $x$'),
  notKnown('drop schema s2 cascade'),
];
