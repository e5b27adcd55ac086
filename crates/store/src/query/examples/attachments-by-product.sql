-- Tools that lean on platforms, by name: what else breaks when a platform goes.
select name, kind, count(distinct platform) as platforms, count(*) as places, max(last_seen) as last_seen
from attachments
group by name, kind
order by places desc, name, kind
