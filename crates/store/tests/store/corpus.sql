-- Useful queries: each line gives the same answer on SQLite, on PostgreSQL, and as of the time of the last reading.
select count(*) from workloads
select count(*) as machines, count(owner) as owned, count(distinct cluster) from workloads
select platform, name, power from workloads order by name, id
select * from workloads order by id limit 20
select * from disks order by workload, label, path
select * from nics order by workload, label
select * from vm_snapshots order by workload, name, created
select * from devices order by workload, kind, label
select * from attributes order by workload, kind, name, value
select * from platforms order by id
select * from hosts order by id
select * from clusters order by id
select * from datastores order by id
select * from networks order by id
select * from principals order by platform, name, kind
select * from roles order by platform, id
select * from grants order by platform, principal, role, scope
select * from firewall_rules order by platform, dialect, scope, name
select * from attachments order by platform, kind, name, principal, address
select * from volumes order by datastore, path
select * from applications order by name
select * from findings order by platform, code, subject, message
select * from gaps order by platform, cause, section, field, file, line, message
select * from collections order by platform, observed
select platform, kind, id, incarnation, observed_from, observed_to from changes order by kind, id, incarnation, observed_from
select power, count(*), avg(memory_bytes), sum(memory_bytes), min(memory_bytes), max(memory_bytes) from workloads group by power order by power
select os, count(*) as n from workloads group by os having count(*) > 1 order by n desc, os
select w.name, h.name as host, c.name as cluster from workloads w join hosts h on h.id = w.host left join clusters c on c.id = h.cluster order by w.id
select h.name, count(w.id) from hosts h left join workloads w on w.host = h.id group by h.name order by h.name
select w.name, d.label from workloads w right join disks d on d.workload = w.id order by w.name, d.label, d.path
select w.name, n.label from workloads w full join nics n on n.workload = w.id order by w.name, n.label, n.mac
select count(*) from hosts cross join clusters
select name from hosts union select name from clusters order by name
select name from hosts union all select name from hosts order by name limit 7 offset 2
select id from workloads except select workload from disks order by id
select host from workloads intersect select id from hosts order by host
with big as (select id, name, memory_bytes from workloads where memory_bytes > 8589934592) select name, gib(memory_bytes) as gib from big order by memory_bytes desc, name
with a as (select platform, count(*) as n from workloads group by platform), b as (select platform, count(*) as m from hosts group by platform) select a.platform, n, m, n / m as each_has from a join b using (platform) order by 1
with a (x, y) as (select name, cpu_count from workloads) select x, y from a where y > 2 order by y desc, x
select name, rank() over (order by memory_bytes desc) as place from workloads order by place, name limit 30
select name, row_number() over (partition by cluster order by memory_bytes desc, id) as number, cluster from workloads order by cluster, number limit 30
select name, sum(cpu_count) over (partition by host order by id rows between unbounded preceding and current row) as running from workloads order by id limit 40
select name, lag(name) over (order by id) as previous, lead(name, 2) over (order by id) as after_next, ntile(4) over (order by id) as part from workloads order by id limit 20
select name from workloads where name like 'P%' order by name
select name from workloads where name ilike 'p%' order by name
select name from workloads where name like '%\_%' order by name
select name from workloads where name like '%!_%' escape '!' order by name
select upper(name), lower(name), length(name), substr(name, 2, 3), trim('  a '), ltrim(' b'), rtrim('c ') from workloads order by id limit 10
select instr(name, '-') as dash, substr(name, instr(name, '-') + 1) as rest from workloads order by id limit 10
select name || ' on ' || coalesce(host, 'nowhere') || ', ' || cpu_count from workloads order by id limit 10
select case power when 'on' then 1 when 'off' then 0 else -1 end as running, count(*) from workloads group by 1 order by 1
select case when memory_bytes > 17179869184 then 'large' when memory_bytes is null then 'unknown' else 'small' end as size, count(*) from workloads group by 1 order by 1
select round(2.5), round(-2.5), round(1234.5678, 2), abs(-3), 7 / 2, 7 % 3, 7 / 0, 7.0 / 2, -(-3), nullif(1, 1)
select 0.1 + 0.2 > 0.3, true, false, null, 'it''s', 'a\b'
select count(*) filter (where power = 'on') as running, count(*) filter (where not secure_boot) as insecure from workloads
select name from workloads where secure_boot order by name limit 10
select name, secure_boot, tpm from workloads where secure_boot is not true order by id limit 10
select name from workloads where cpu_count between 2 and 4 and power in ('on', 'suspended') order by id
select name from workloads w where exists (select 1 from disks d where d.workload = w.id and d.thin) order by id limit 20
select name from workloads where id not in (select workload from vm_snapshots) order by id limit 20
select name, (select count(*) from disks d where d.workload = w.id) as disks, disk_count from workloads w order by id limit 20
select string_agg(name, ', ') from hosts
select cluster, group_concat(name, '; ') as hosts from hosts group by cluster order by cluster
select why(created) as reason, count(*) from workloads group by 1 order by 1
select is_unobserved(w.owner) as unknown, is_absent(w.owner) as none, why(w.owner) as reason, count(*) from workloads w group by 1, 2, 3 order by 1, 2, 3
select count(*) from workloads where created < now() and created > days_ago(20000) and hours_ago(1) < now()
select age_days(created) as age, count(*) from vm_snapshots group by 1 order by 1
select distinct kind, power from workloads order by kind, power
select name from workloads where created is distinct from null order by id limit 3
select count(*) from workloads w join nics n on n.workload = w.id join networks k on k.id = n.network where k.vlan is not null
select datastore, gib(sum(capacity_bytes)) as promised from disks group by datastore order by promised desc, datastore
select cast(cpu_count as text) as t, cast(cpu_count as real) / 2 as half from workloads order by id limit 5
select power as state from workloads group by power order by state desc nulls first
select x.name from (select name, id from workloads where kind = 'template') x order by x.id
