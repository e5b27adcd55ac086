//! Where a machine is: by the ids of its host, pool, vApp and folder.

use entente_model::{Observed, Placement, Text, Why};

use super::Mapping;

impl<'t> Mapping<'_, 't, '_> {
    pub(super) fn placement(&mut self) -> Placement {
        let inventory = self.inventory;
        let host = self.known("runtime.host", "hosts");
        let pool = self.known("resourcePool", "resource_pools");
        let parent = self.known("parent", "folders");
        let inside = pool.and_then(|it| inventory.above(it, "VirtualApp"));
        let own = self.known("parentVApp", "resource_pools");
        let vapp = own.or(inside.map(|(id, _)| id.as_str()));
        // A template is in no pool, and what is not registered on a host is still in a folder.
        let anchors = [host, pool, parent, vapp];
        let known = || anchors.into_iter().flatten().filter(|id| inventory.place(id).is_some());
        let refused = |path: &str| self.get(path).refused().unwrap_or(Why::Blank);
        let datacenter = known()
            .map(|id| inventory.datacenter(id))
            .find(Observed::is_observed)
            .unwrap_or(Observed::Unobserved(refused("parent")));
        let cluster = known()
            .map(|id| inventory.cluster(id))
            .find(Observed::is_observed)
            .unwrap_or(Observed::Unobserved(refused("runtime.host")));
        // What it is in is told by its id alone, and unset where it is in none.
        let named = |path: &str, id: Option<&str>| match (id, self.get(path).refused()) {
            (Some(id), _) => inventory.told(id),
            (None, Some(why)) => Observed::Unobserved(why),
            (None, None) => Observed::Absent,
        };
        let folder = match (parent, vapp) {
            (Some(parent), _) => inventory.told(parent).map(|it| it.path.clone()),
            (None, Some(vapp)) => Observed::or_why(inventory.folder_of_vapp(vapp), Why::Blank)
                .map(|it| it.path.clone()),
            (None, None) => Observed::Unobserved(refused("parent")),
        };
        Placement {
            datacenter,
            cluster,
            host: match host {
                Some(id) => Observed::or_why(inventory.hosts.get(id).cloned(), inventory.hidden),
                None => Observed::Unobserved(refused("runtime.host")),
            },
            folder,
            resource_pool: named("resourcePool", pool).map(|it| it.path.clone()),
            vapp: named("parentVApp", vapp).map(|it| it.name.clone()),
        }
    }

    /// The id of what it is in; a gap of that list where nothing told of it.
    fn known(&mut self, path: &str, list: &'static str) -> Option<&'t str> {
        let reference = self.get(path).reference()?;
        if self.inventory.place(reference.id).is_none() {
            let message = "machines are in it, and no list holds it: the account may not see it, or it is newer than the list";
            self.facts.dangling(list, message, reference.id);
            self.strangers.insert(Text::new(reference.id));
        }
        Some(reference.id)
    }
}
