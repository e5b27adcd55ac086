-- Devices passed from a host: such machines do not move.
select w.platform, w.name, w.host, d.kind, d.label, d.backing
from devices d
join workloads w on w.id = d.workload
where d.kind in ('usb', 'pci-passthrough', 'vgpu')
order by w.platform, w.name, d.kind, d.label
