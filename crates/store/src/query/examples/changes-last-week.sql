-- What has another state than a week ago: new, changed or gone.
select platform, kind, id, incarnation,
    max(observed_from) as last_seen_new, max(observed_to) as last_seen_ended
from changes
where observed_from >= days_ago(7) or observed_to >= days_ago(7)
group by platform, kind, id, incarnation
order by kind, id, platform, incarnation
