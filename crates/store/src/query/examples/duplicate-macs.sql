-- Hardware addresses that several adapters have.
select n.mac, count(*) as adapters, string_agg(w.name, ', ') as workloads
from nics n
join workloads w on w.id = n.workload
where n.mac is not null
group by n.mac
having count(*) > 1
order by adapters desc, n.mac
