-- Machines of which nobody says who answers for them, by cluster.
select platform, cluster, count(*) as machines, gib(sum(memory_bytes)) as memory_gib
from workloads w
where owner is null and kind = 'machine'
group by platform, cluster
order by machines desc, platform, cluster
