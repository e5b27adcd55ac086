-- Raw device mappings, with the LUN behind each.
select d.platform, w.name, d.label, d.raw_mapping, d.lun, gib(d.capacity_bytes) as capacity_gib
from disks d
join workloads w on w.id = d.workload
where d.raw_mapping is not null
order by d.platform, w.name, d.label
