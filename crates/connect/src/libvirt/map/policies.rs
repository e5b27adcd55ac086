//! Policies in libvirt's own language: network filters, where they are at work, and what networks
//! let pass.

use entente_model::{NativePolicy, PlatformId, Text};

use super::gaps::Told;
use crate::libvirt::wire::failure::Failure;
use crate::libvirt::wire::reading::{Read, Surroundings};
use crate::libvirt::wire::xml::Element;
use crate::live::Gaps;
use crate::secrets::redacted;

const SECTION: &str = "policies";
/// Filters and their bindings.
const FILTERS: &str = "libvirt-nwfilter";
/// Networks: forwarding, isolation, port groups.
const NETWORKS: &str = "libvirt-network";

/// All of them.
pub fn read(platform: &PlatformId, around: &Surroundings, gaps: &mut Gaps) -> Vec<NativePolicy> {
    let mut policies = Vec::new();
    let mut add = |dialect: &'static str, scope: String, name: Text, body: &str| {
        let (platform, scope) = (platform.clone(), Text::from(scope));
        policies.push(NativePolicy {
            platform,
            dialect: dialect.into(),
            scope,
            name,
            body: redacted(body),
        });
    };
    gaps.left_out(SECTION, "network filters", around.left_out.filters);
    gaps.left_out(SECTION, "filter bindings", around.left_out.bindings);
    for filter in list(&around.filters, "list of network filters", gaps) {
        let name = filter.named.name.as_str();
        if let Some(body) = body(&filter.xml, "network filter", name, gaps) {
            add(FILTERS, "host".into(), Text::from(format!("filter/{name}")), body);
        }
    }
    for (binding, xml) in list(&around.bindings, "list of filter bindings", gaps) {
        let Some(body) = body(xml, "filter binding", &binding.port, gaps) else { continue };
        let owner = Element::parse(body).ok().and_then(|it| owner(&it));
        let scope = owner.map_or_else(|| "host".into(), |uuid| format!("vm/{uuid}"));
        add(FILTERS, scope, Text::from(format!("binding/{}", binding.port)), body);
    }
    // That the list of networks failed is told where networks are mapped.
    for network in around.networks.iter().flatten() {
        if let Ok(body) = &network.xml {
            let scope = format!("network/{}", network.named.name);
            add(NETWORKS, scope, "definition".into(), body);
        }
    }
    policies
}

fn list<'a, T>(read: &'a Read<Vec<T>>, what: &'static str, gaps: &mut Gaps) -> &'a [T] {
    match read {
        Ok(list) => list,
        Err(failure) => {
            gaps.failed(SECTION, what, failure, None);
            &[]
        }
    }
}

fn body<'a>(
    read: &'a Read<String>,
    what: &'static str,
    name: &str,
    gaps: &mut Gaps,
) -> Option<&'a str> {
    match read {
        Ok(xml) => Some(xml),
        // Bindings come and go with their domains.
        Err(failure) if Failure::is_gone(failure) => None,
        Err(failure) => {
            gaps.failed(SECTION, what, failure, Some(name));
            None
        }
    }
}

fn owner(binding: &Element) -> Option<String> {
    binding.text_at("owner/uuid").map(str::to_owned)
}
