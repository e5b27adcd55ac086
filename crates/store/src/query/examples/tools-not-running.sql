-- Machines that are on and whose guest tools do not run.
select platform, name, os, tools_status, tools_version
from workloads
where power = 'on' and kind = 'machine' and tools_status in ('not-running', 'not-installed')
order by platform, name
