-- Volumes that belong to no workload: observed to be so, not merely unknown.
select platform, datastore, path, format, gib(capacity_bytes) as capacity_gib, gib(allocated_bytes) as allocated_gib
from volumes v
where is_absent(v.workload) and coalesce(content, 'images') = 'images'
order by allocated_bytes desc, platform, path
