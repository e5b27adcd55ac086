-- Disks that several machines may write to, or whose controller is shared: clusters of guests.
select d.platform, w.name, d.label, d.sharing, d.bus_sharing, d.path
from disks d
join workloads w on w.id = d.workload
where d.sharing = 'multi-writer' or d.bus_sharing in ('virtual', 'physical')
order by d.platform, w.name, d.label
