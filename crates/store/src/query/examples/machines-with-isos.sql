-- Machines with an image in a CD drive: it binds them to where the image lies.
select w.platform, w.name, d.label, d.backing, d.connected
from devices d
join workloads w on w.id = d.workload
where d.kind = 'cdrom' and d.backing ilike '%.iso%'
order by w.platform, w.name, d.label
