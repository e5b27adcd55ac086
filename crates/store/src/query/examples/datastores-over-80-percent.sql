-- Datastores of which more than 80 percent are in use, fullest first.
select platform, name, kind, gib(capacity_bytes) as capacity_gib, gib(free_bytes) as free_gib,
    round(100.0 * (capacity_bytes - free_bytes) / capacity_bytes, 1) as used_percent
from datastores
where free_bytes * 5 < capacity_bytes
order by used_percent desc, platform, name
