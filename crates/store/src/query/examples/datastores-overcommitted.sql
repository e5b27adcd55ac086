-- Datastores that promise more than they have.
select platform, name, gib(capacity_bytes) as capacity_gib, gib(provisioned_bytes) as provisioned_gib,
    round(1.0 * provisioned_bytes / capacity_bytes, 2) as times
from datastores
where provisioned_bytes > capacity_bytes
order by times desc, platform, name
