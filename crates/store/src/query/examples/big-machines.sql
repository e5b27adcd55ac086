-- The fifty largest machines by memory, with processors and disks.
select platform, name, cpu_count, gib(memory_bytes) as memory_gib, gib(disk_capacity_bytes) as disks_gib, os
from workloads
where kind = 'machine'
order by memory_bytes desc, name
limit 50
