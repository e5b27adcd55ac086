-- How old what is known of each platform is.
select platform, connector, observed, age_days(observed) as age_days, objects
from collections
where is_latest
order by observed, platform
