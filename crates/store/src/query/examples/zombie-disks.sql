-- Disks of machines that have been off for long: space that nobody uses, largest first.
select d.platform, w.name, d.label, gib(d.capacity_bytes) as capacity_gib, d.datastore, d.path
from disks d
join workloads w on w.id = d.workload
where w.power = 'off' and w.kind = 'machine'
order by d.capacity_bytes desc, w.name, d.label
