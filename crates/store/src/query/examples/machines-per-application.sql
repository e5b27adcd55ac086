-- Applications with their machines, processors and memory.
select a.name, a.owner, count(*) as machines, sum(w.cpu_count) as processors,
    gib(sum(w.memory_bytes)) as memory_gib, count(*) filter (where w.power = 'on') as running
from applications a
join workloads w on w.application = a.name
group by a.name, a.owner
order by machines desc, a.name
