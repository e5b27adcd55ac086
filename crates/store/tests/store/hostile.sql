-- What no query may do: each line is one attempt, and each is refused on both engines.
delete from workloads
update workloads set name = 'x'
insert into workloads (name) values ('x')
drop table versions
drop view q_workloads
create table t (a int)
create table t as select * from workloads
create temp table t as select 1
create index i on now_workloads (name)
create function f() returns int language sql as 'select 1'
alter table versions rename to v
truncate versions
vacuum
vacuum into 'copy.db'
analyze
reindex
attach database 'other.db' as other
attach 'file:other.db?mode=rwc' as other
detach database main
pragma table_info(versions)
pragma query_only = off
pragma writable_schema = on
begin
commit
rollback
savepoint a
set role postgres
set statement_timeout = 0
reset role
show all
explain select 1
explain analyze select 1
listen x
notify x
lock table versions
copy versions to '/tmp/x'
copy (select 1) to program 'id'
copy versions from program 'id'
do $$ begin perform 1; end $$
call f()
execute f
prepare f as select 1
declare c cursor for select 1
grant all on versions to public
create role x superuser
load 'plugin.so'
create extension dblink
select 1; select 2
select 1; drop table versions
select name from workloads;;delete from versions
with x as (delete from versions returning *) select * from x
with x as (insert into versions values (1) returning *) select * from x
with x as (update versions set id = 1 returning *) select * from x
select * into copy from workloads
select name into temp t from workloads
select name from workloads for update
select name from workloads for share
select name from workloads for update of workloads skip locked
select * from versions
select * from entities
select body from versions
select * from now_workloads
select * from q_workloads
select * from c_x
select * from main.workloads
select * from temp.workloads
select * from public.versions
select * from public.workloads
select * from "public"."workloads"
select * from sqlite_master
select * from sqlite_schema
select * from "sqlite_master"
select * from [sqlite_master]
select * from `sqlite_master`
select * from main.sqlite_master
select sql from sqlite_temp_master
select * from dbstat
select * from pragma_table_info('versions')
select * from pg_catalog.pg_class
select * from pg_class
select * from pg_shadow
select * from pg_authid
select * from pg_stat_activity
select * from information_schema.tables
select * from pg_user, workloads
select name from workloads union select usename from pg_user
select name from workloads union all select sql from sqlite_master
select name from workloads where id in (select body from versions)
select (select max(body) from versions) from workloads
select name from workloads where exists (select 1 from versions)
select name from workloads order by (select count(*) from versions)
with x as (select * from versions) select * from x
with versions as (select 1 as a) select * from (select * from entities) e
select * from workloads w join versions v on true
select load_extension('x.so')
select readfile('/etc/passwd')
select writefile('/tmp/x', 'y')
select edit('x')
select fts3_tokenizer('simple')
select sqlite_compileoption_get(1)
select sqlite_source_id()
select randomblob(1000000000)
select zeroblob(1000000000)
select hex(zeroblob(1000))
select printf('%1000000000d', 1)
select format('%1000000000s', 'x')
select replace(name, 'a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa') from workloads
select repeat('x', 1000000000)
select lpad('x', 1000000000)
select char(0)
select chr(0)
select quote(name) from workloads
select json_extract(name, '$') from workloads
select * from json_each('[1,2,3]')
select * from json_tree('[1,2,3]')
select * from generate_series(1, 1000000000)
select generate_series(1, 1000000000)
select * from unnest(array[1,2,3]) u
select unnest(array[1,2,3])
select pg_read_file('/etc/passwd')
select pg_catalog.pg_read_file('/etc/passwd')
select "pg_read_file"('/etc/passwd')
select PG_READ_FILE('/etc/passwd')
select pg_read_binary_file('/etc/passwd')
select pg_ls_dir('/')
select * from pg_ls_dir('/')
select pg_stat_file('/etc/passwd')
select lo_import('/etc/passwd')
select lo_export(1, '/tmp/x')
select dblink('host=x', 'select 1')
select dblink_connect('host=x')
select pg_sleep(1000)
select name from workloads where pg_sleep(1) is null
select count(*) filter (where pg_sleep(1) is null) from workloads
select row_number() over (order by pg_sleep(1)) from workloads
select name from workloads order by pg_sleep(1)
select name from workloads group by name, pg_sleep(1)
select case when pg_sleep(1) is null then 1 end
select coalesce(pg_sleep(1)::text, 'x')
select pg_terminate_backend(1)
select pg_cancel_backend(1)
select pg_reload_conf()
select pg_advisory_lock(7305808895)
select current_setting('data_directory')
select set_config('statement_timeout', '0', false)
select query_to_xml('select * from versions', true, true, '')
select table_to_xml('versions', true, true, '')
select database_to_xml(true, true, '')
select xmlparse(document '<a/>')
select nextval('x')
select setval('x', 1)
select version()
select inet_server_addr()
select current_user
select session_user
select user
select current_database()
select current_schema
select has_table_privilege('versions', 'select')
select to_regclass('versions')
select 'versions'::regclass
select cast('versions' as regclass)
select cast(1 as money)
select name::bytea from workloads
select '1'::oid
select ctid from workloads
select xmin from workloads
select tableoid from workloads
select w.ctid from workloads w
select w.tableoid::regclass from workloads w
select rowid from workloads
select oid from workloads
select _rowid_ from workloads
select w from workloads w
select w.* from workloads
select row_to_json(w) from workloads w
select w.pg_typeof from workloads w
select (w).name from workloads w
select (select w) from workloads w
select 1 as pg_sleep
select 1 as "a"";drop table versions;--"
select 1 as "select"
select name as "na me" from workloads
select e'\x41'
select E'\' or 1=1 --'
select U&'\0041'
select $$text$$
select $tag$text$tag$
select b'1'
select x'41'
select n'a'
select ?
select $1
select :name
select @name
select name from workloads where name = ?
select name from workloads where name ~ '(a+)+$'
select name from workloads where name ~* 'a'
select name from workloads where name similar to 'a%'
select name from workloads where name regexp 'a'
select name from workloads where name glob 'a*'
select name from workloads where name match 'a'
select name @@ 'a' from workloads
select name -> 'a' from workloads
select name ->> 'a' from workloads
select name #> 'a' from workloads
select 1 operator(pg_catalog.+) 1
select 1 << 100000
select 2 ^ 100000
select !! 1
select name collate "de_DE" from workloads
select name from workloads where name like any (array['a'])
select name from workloads where id = any (select body from versions)
select array[1, 2]
select row(1, 2)
select (1, 2)
select interval '1 day'
select date '2026-01-01'
select timestamp '2026-01-01'
select now() at time zone 'UTC'
select extract(year from now())
select current_timestamp
select current_date
select localtime
with recursive x as (select 1 as n union all select n + 1 from x) select * from x
with recursive x as (select 1 as n union all select n + 1 from x limit 5) select * from x
with x as (select * from x) select * from x
with workloads as (select 1 as a) select * from workloads
with x as materialized (select 1 as a) select * from x
with "x;y" as (select 1 as a) select * from "x;y"
select * from (select * from workloads)
select * from lateral (select 1 as a) x
select * from workloads, lateral (select 1 as a) x
select * from workloads w (a, b)
select * from workloads tablesample system (10)
select * from only workloads
select * from workloads natural join disks
select * from workloads cross join lateral pg_ls_dir('/') x
select * from rows from (pg_ls_dir('/')) x
select * from xmltable('/' passing '<a/>' columns a text)
table versions
table workloads
values (1), (2)
select * from (values (1)) v
(select 1)
select 1 union (select 2 union select 3)
select distinct on (name) name from workloads
select top 5 name from workloads
select name from workloads limit (select 1)
select name from workloads limit 1 + 1
select name from workloads limit all offset (select count(*) from versions)
select name from workloads fetch first 5 rows only
select name from workloads offset 5
select name from workloads group by rollup (name)
select name from workloads group by grouping sets ((name), ())
select name from workloads group by cube (name)
select percentile_cont(0.5) within group (order by cpu_count) from workloads
select sum(cpu_count) over w from workloads window w as (order by name)
select rank() from workloads
select lower(distinct name) from workloads
select lower(name => 'x') from workloads
select max(name, id) from workloads
select string_agg(name, platform) from workloads
select round(cpu_count, (select 1)) from workloads
select days_ago(name) from workloads
select days_ago(999999999)
select why(lower(name)) from workloads
select is_absent(1)
select grouping(name) from workloads group by name
select nmae from workloads
select workloads.nmae from workloads
select disks.name from workloads
select x.name from workloads
select "'; drop table versions; --" from workloads
select name from workloads where "name"='a' or "body"='b'
select name /* from workloads
select 'name from workloads
select "name from workloads
select name from workloads )
select ((((name from workloads
select from workloads
select
from workloads
;
