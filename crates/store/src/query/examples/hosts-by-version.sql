-- Hosts by hypervisor and version, with those that are in maintenance.
select platform, hypervisor, version, build, count(*) as hosts,
    count(*) filter (where in_maintenance) as in_maintenance
from hosts
group by platform, hypervisor, version, build
order by platform, hypervisor, version, build
