-- What was not observed, by cause: what to mend before trusting a "no".
select platform, connector, cause, section, sum(occurrences) as occurrences, min(message) as example
from gaps
group by platform, connector, cause, section
order by occurrences desc, platform, cause, section
