-- Memory promised to running machines against what the hosts of a cluster have.
with hosted as (
    select cluster, sum(memory_bytes) as memory, count(*) as hosts from hosts group by cluster
), promised as (
    select cluster, sum(memory_bytes) as memory, count(*) as machines
    from workloads where power = 'on' group by cluster
)
select c.platform, c.name, h.hosts, p.machines, gib(h.memory) as memory_gib, gib(p.memory) as promised_gib,
    round(100.0 * p.memory / h.memory, 1) as percent
from clusters c
left join hosted h on h.cluster = c.id
left join promised p on p.cluster = c.id
order by percent desc, c.platform, c.name
