-- Machines that are off and whose configuration nobody changed for 90 days.
select w.platform, w.name, w.owner, gib(w.disk_capacity_bytes) as disks_gib, max(c.observed_from) as unchanged_since
from workloads w
join changes c on c.kind = 'workloads' and c.id = w.id and c.observed_to is null
where w.power = 'off' and w.kind = 'machine'
group by w.platform, w.name, w.owner, w.disk_capacity_bytes
having max(c.observed_from) < days_ago(90)
order by disks_gib desc, w.name
