-- Who has a role that is called administrator, and where.
select g.platform, g.principal, g.principal_kind, r.name as role, g.scope, g.propagates
from grants g
join roles r on r.platform = g.platform and r.id = g.role
where r.name ilike '%admin%'
order by g.platform, g.principal, g.scope
