//! Switches and port groups, and the address plan that goes with their VLANs.

use entente_model::{Listing, Network, NetworkId, Observed, Switch, SwitchKind, Text};

use super::{Site, id};

/// A network that machines may be attached to.
#[derive(Clone, Debug)]
pub(in crate::estate) struct Net {
    pub id: NetworkId,
    pub switch: Text,
    /// Second number of its addresses, 10.x.
    pub octet: u64,
}

/// Security of a port group.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Security {
    Strict,
    /// Listens to everything on the wire.
    Promiscuous,
    /// Sends under addresses other than its own: nested labs, load balancers.
    Forged,
}

/// Port groups of each datacenter's distributed switch: role, VLAN, security.
const PORT_GROUPS: [(&str, u32, Security); 19] = [
    ("prod-web", 110, Security::Strict),
    ("prod-app", 120, Security::Strict),
    ("prod-db", 130, Security::Strict),
    ("prod-cluster", 135, Security::Strict),
    ("infra", 140, Security::Strict),
    ("dmz-front", 210, Security::Strict),
    ("dmz-back", 220, Security::Forged),
    ("vdi", 310, Security::Strict),
    ("test", 410, Security::Strict),
    ("test-nested", 420, Security::Forged),
    ("sap", 510, Security::Strict),
    ("sap-replication", 511, Security::Strict),
    ("oracle", 520, Security::Strict),
    ("oracle-interconnect", 521, Security::Strict),
    ("backup", 610, Security::Strict),
    ("plant", 710, Security::Strict),
    ("ids-span", 4095, Security::Promiscuous),
    ("vmotion", 11, Security::Strict),
    ("storage", 12, Security::Strict),
];

/// Roles that carry interfaces of the hypervisor itself.
const HYPERVISOR: [&str; 2] = ["vmotion", "storage"];

/// The standard networks, on every host and under one name everywhere.
const MANAGEMENT: &str = "Management Network";
pub(in crate::estate) const VM_NETWORK: &str = "VM Network";
pub(in crate::estate) const STANDARD: [&str; 2] = [MANAGEMENT, VM_NETWORK];

impl Site {
    pub(super) fn add_networks(&mut self, vcenter: u32) {
        self.add_standard();
        let pods = std::mem::take(&mut self.pods);
        for (number, (site, pods)) in self.datacenters.into_iter().zip(pods).enumerate() {
            for (pod, hosts) in pods.into_iter().enumerate() {
                self.add_distributed(vcenter, number, site, pod, hosts);
            }
        }
    }

    fn add_standard(&mut self) {
        let mut hosts: Vec<Text> = self.hosts.iter().map(|it| it.name.clone()).collect();
        if hosts.is_empty() {
            return;
        }
        hosts.sort();
        let switch = Text::new("vSwitch0");
        self.switches.push(Switch {
            platform: self.platform.clone(),
            name: switch.clone(),
            kind: SwitchKind::Standard,
            version: Observed::Absent,
            mtu_bytes: Observed::Value(1500),
            hosts: Listing::complete(hosts),
        });
        for (name, vlan, octet) in [(MANAGEMENT, Some(10), 10), (VM_NETWORK, None, 15)] {
            let id = id(NetworkId::on(&self.platform, name));
            let is_old = name == VM_NETWORK;
            self.network_list.push(Network {
                id: id.clone(),
                platform: self.platform.clone(),
                name: name.into(),
                switch: Observed::Value(switch.clone()),
                switch_kind: Observed::Value(SwitchKind::Standard),
                vlan: vlan
                    .map_or(Observed::Absent, |it: u32| Observed::Value(it.to_string().into())),
                promiscuous: Observed::Value(false),
                // The defaults of long ago.
                mac_changes: Observed::Value(is_old),
                forged_transmits: Observed::Value(is_old),
                carries_hypervisor: Observed::Value(name == MANAGEMENT),
            });
            for datacenter in 0..2 {
                let net = Net { id: id.clone(), switch: switch.clone(), octet };
                self.networks.insert((datacenter, 0, name), net);
            }
        }
    }

    fn add_distributed(
        &mut self,
        vcenter: u32,
        number: usize,
        site: &str,
        pod: usize,
        mut hosts: Vec<Text>,
    ) {
        hosts.sort();
        let switch = Text::from(format!("{site}-dvs-{:02}", pod + 1));
        self.switches.push(Switch {
            platform: self.platform.clone(),
            name: switch.clone(),
            kind: SwitchKind::Distributed,
            version: Observed::Value(
                if self.product.0.starts_with('8') { "8.0.0" } else { "7.0.3" }.into(),
            ),
            mtu_bytes: Observed::Value(9000),
            hosts: Listing::complete(hosts),
        });
        let offset = number as u32 * 1000;
        let site = if pod == 0 { site.to_owned() } else { format!("{site}-pod{}", pod + 1) };
        for (at, (role, vlan, security)) in (0..).zip(PORT_GROUPS) {
            let (name, vlan) = match vlan {
                // The whole trunk, for what listens to it.
                4095 => (format!("{site}-{role}"), "0-4094".to_owned()),
                vlan => (format!("{site}-{role}-{}", vlan + offset), (vlan + offset).to_string()),
            };
            let id = self.add_port_group(&name, &switch, vlan, security, role);
            let octet = 16 + (u64::from(vcenter) * 40 + number as u64 * 20 + at) % 230;
            self.networks.insert((number, pod, role), Net { id, switch: switch.clone(), octet });
        }
        let uplinks = format!("{switch}-uplinks");
        self.add_port_group(&uplinks, &switch, "0-4094".to_owned(), Security::Strict, "uplinks");
    }

    fn add_port_group(
        &mut self,
        name: &str,
        switch: &Text,
        vlan: String,
        security: Security,
        role: &str,
    ) -> NetworkId {
        let id = id(NetworkId::on(&self.platform, name));
        self.network_list.push(Network {
            id: id.clone(),
            platform: self.platform.clone(),
            name: name.into(),
            switch: Observed::Value(switch.clone()),
            switch_kind: Observed::Value(SwitchKind::Distributed),
            vlan: Observed::Value(vlan.into()),
            promiscuous: Observed::Value(security == Security::Promiscuous),
            mac_changes: Observed::Value(security == Security::Forged),
            forged_transmits: Observed::Value(security != Security::Strict),
            carries_hypervisor: Observed::Value(HYPERVISOR.contains(&role)),
        });
        id
    }
}
