-- VM snapshots older than 30 days, oldest first.
select s.platform, w.name as workload, s.name as snapshot, s.created, age_days(s.created) as age_days,
    gib(s.size_bytes) as size_gib
from vm_snapshots s
join workloads w on w.id = s.workload
where s.created < days_ago(30)
order by s.created, workload, snapshot
