-- Networks to which no adapter that was seen is attached.
select n.platform, n.name, n.switch, n.vlan, n.carries_hypervisor
from networks n
where n.id not in (select network from nics where network is not null)
order by n.platform, n.name
