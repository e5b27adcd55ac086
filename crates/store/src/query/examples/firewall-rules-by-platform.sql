-- How many rules of which language each platform holds.
select platform, dialect, count(*) as rules, count(distinct scope) as scopes
from firewall_rules
group by platform, dialect
order by platform, dialect
