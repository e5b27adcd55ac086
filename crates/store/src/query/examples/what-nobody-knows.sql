-- Power states, sizes and creation times that nobody knows, with the reason.
select platform, why(w.power) as power, why(w.memory_bytes) as memory, why(w.created) as created,
    why(w.hostname) as hostname, count(*) as machines
from workloads w
where is_unobserved(w.power) or is_unobserved(w.memory_bytes) or is_unobserved(w.created)
    or is_unobserved(w.hostname)
group by 1, 2, 3, 4, 5
order by machines desc, platform, power, memory, created, hostname
