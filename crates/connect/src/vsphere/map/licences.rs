//! Licences: what they are for, how much of them is used, when they end. Their keys are never kept.

use std::collections::HashMap;

use entente_model::{Licence, Observed, PlatformId, Text};

use super::super::wire::{Element, Told, Tree};
use super::facts::{Facts, blank};

/// Licences that are installed.
pub(super) fn licences(
    told: Told<'_>,
    platform: &PlatformId,
    facts: &mut Facts<'_>,
) -> Vec<Licence> {
    let licence = |it: Element<'_>| {
        let expires = it.all("properties").find(|property| {
            property.text_at("key").is_some_and(|key| key.eq_ignore_ascii_case("expirationDate"))
        });
        let expires = expires.and_then(|it| it.child("value"));
        Licence {
            platform: platform.clone(),
            name: facts.name(it.told("name"), it.text_at("editionKey").unwrap_or("unnamed")),
            unit: facts.text(it.told("costUnit"), blank()),
            total: match facts.number::<u64>(it.told("total"), blank()) {
                // Evaluation and editions without a count.
                Observed::Value(0) => Observed::Absent,
                other => other,
            },
            used: facts.number(it.told("used"), blank()),
            expires: facts.moment(expires.map_or(Told::Unset, Told::Value), Observed::Absent),
        }
    };
    let mut licences: Vec<Licence> = told.elements().map(licence).collect();
    licences.sort_by(|a, b| (&a.name, &a.unit, &a.total).cmp(&(&b.name, &b.unit, &b.total)));
    licences
}

/// How many licences each object has, by its id on the platform.
pub(super) fn assigned(answer: &Tree) -> HashMap<Text, u32> {
    let mut counts = HashMap::new();
    for assignment in answer.root().into_iter().flat_map(|it| it.all("returnval")) {
        let (Some(entity), Some(_)) =
            (assignment.text_at("entityId"), assignment.child("assignedLicense"))
        else {
            continue;
        };
        *counts.entry(Text::new(entity)).or_default() += 1;
    }
    counts
}
