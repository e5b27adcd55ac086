//! What the encoders of all kinds of objects look up, and what all managed entities say alike.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use entente_model::{
    Alarm, AttributeKind, Collection, Grant, Moment, Observed, PrincipalKind, Text, Workload,
};

use super::layout::{Layout, Ref};
use super::xml::Writer;

/// Key of the first custom field.
const FIELD_KEY_MIN: u32 = 101;

/// What encoders look up.
pub(super) struct Facts<'a> {
    pub collection: &'a Collection,
    pub layout: &'a Layout,
    /// Keys of custom fields, by name.
    pub fields: BTreeMap<&'a str, u32>,
    /// Positions of datastores, by id and by name.
    stores: HashMap<&'a str, usize>,
    grants: HashMap<&'a str, Vec<&'a Grant>>,
    triggered: HashMap<&'a str, Vec<&'a Alarm>>,
    /// When the collection was taken.
    pub now: String,
}

impl<'a> Facts<'a> {
    pub(super) fn new(collection: &'a Collection, layout: &'a Layout) -> Self {
        let attributes = collection.workloads.iter().flat_map(|it| &it.attributes);
        let custom = attributes.filter(|it| it.kind != Observed::Value(AttributeKind::Tag));
        let names: BTreeSet<&str> = custom.map(|it| it.name.as_str()).collect();
        let mut grants: HashMap<&str, Vec<&Grant>> = HashMap::new();
        for grant in &collection.control.grants {
            if let Some(id) = grant.scope_id.value() {
                grants.entry(id).or_default().push(grant);
            }
        }
        let mut triggered: HashMap<&str, Vec<&Alarm>> = HashMap::new();
        for alarm in &collection.control.alarms {
            for id in &alarm.triggered {
                triggered.entry(id).or_default().push(alarm);
            }
        }
        let taken = collection.source.taken.map(time);
        let stores = collection.datastores.iter().enumerate();
        let stores = stores.flat_map(|(at, it)| [(it.id.as_str(), at), (it.name.as_str(), at)]);
        Self {
            collection,
            layout,
            fields: names.into_iter().zip(FIELD_KEY_MIN..).collect(),
            stores: stores.collect(),
            grants,
            triggered,
            now: taken.unwrap_or_else(|| "2026-06-15T05:40:00Z".to_owned()),
        }
    }

    /// The datastore of this id or name.
    pub(super) fn store(&self, id_or_name: &str) -> Option<&'a Ref> {
        let at = *self.stores.get(id_or_name)?;
        self.layout.datastores.get(at).map(|it| &it.reference)
    }

    /// Custom values of a machine: key of the field, and value.
    pub(super) fn custom_values(&self, workload: &'a Workload) -> Vec<(u32, &'a str)> {
        let attributes = workload.attributes.iter();
        let custom = attributes.filter(|it| it.kind != Observed::Value(AttributeKind::Tag));
        let mut values: Vec<(u32, &str)> = custom
            .filter_map(|it| Some((*self.fields.get(it.name.as_str())?, it.value.as_str())))
            .collect();
        values.sort_unstable();
        values
    }

    /// The colour of an object.
    pub(super) fn status(&self, id: &str) -> &'static str {
        if self.triggered.contains_key(id) { "yellow" } else { "green" }
    }

    /// What every managed entity says of itself.
    pub(super) fn entity(
        &self,
        w: &mut Writer,
        reference: &Ref,
        name: &str,
        parent: Option<&Ref>,
        values: &[(u32, &str)],
    ) {
        custom_values(w, "value", values);
        if values.is_empty() {
            w.empty("value");
        }
        w.empty("availableField");
        if let Some(parent) = parent {
            w.reference("parent", parent.kind, &parent.id);
        }
        custom_values(w, "customValue", values);
        if values.is_empty() {
            w.empty("customValue");
        }
        let status = self.status(&reference.id);
        w.words(&[("overallStatus", status), ("configStatus", "green")]);
        w.empty("configIssue");
        w.leaf("effectiveRole", -1);
        let grants = self.grants.get(reference.id.as_str());
        match grants {
            Some(grants) => {
                for grant in grants {
                    permission(w, "permission", grant, reference);
                }
            }
            None => w.empty("permission"),
        }
        w.text("name", &encoded_name(name));
        for list in ["disabledMethod", "recentTask", "declaredAlarmState"] {
            w.empty(list);
        }
        self.alarm_states(w, reference);
        w.leaf("alarmActionsEnabled", true);
        w.empty("tag");
    }

    /// The root tells of everything below it.
    fn alarm_states(&self, w: &mut Writer, reference: &Ref) {
        if reference.id == super::layout::ROOT {
            let alarms = self.collection.control.alarms.iter();
            for (alarm, id) in alarms.flat_map(|it| it.triggered.iter().map(move |id| (it, id))) {
                self.alarm_state(w, alarm, &Ref::new("VirtualMachine", id.clone()));
            }
        }
        match self.triggered.get(reference.id.as_str()) {
            Some(alarms) => {
                for alarm in alarms {
                    self.alarm_state(w, alarm, reference);
                }
            }
            None => w.empty("triggeredAlarmState"),
        }
    }

    fn alarm_state(&self, w: &mut Writer, alarm: &Alarm, entity: &Ref) {
        w.node("triggeredAlarmState", |w| {
            w.text("key", &format!("{}.{}", alarm.native_id, entity.id));
            w.reference("entity", entity.kind, &entity.id);
            w.reference("alarm", "Alarm", &alarm.native_id);
            w.text("overallStatus", "yellow");
            w.text("time", &self.now);
            w.leaf("acknowledged", false);
        });
    }
}

/// One permission.
pub(super) fn permission(w: &mut Writer, name: &str, grant: &Grant, entity: &Ref) {
    w.node(name, |w| {
        w.reference("entity", entity.kind, &entity.id);
        w.text("principal", &grant.principal);
        w.leaf("group", grant.principal_kind == PrincipalKind::Group);
        w.leaf("roleId", role_id(&grant.role));
        w.leaf("propagate", grant.propagates.copied().unwrap_or(true));
    });
}

/// A role's number; one made of its name where the collection has none.
pub(super) fn role_id(native: &Text) -> i64 {
    native.parse().unwrap_or_else(|_| (crate::random::hash(native) >> 34) as i64)
}

/// Values of custom fields.
pub(super) fn custom_values(w: &mut Writer, name: &str, values: &[(u32, &str)]) {
    for (key, value) in values {
        w.node_as(name, "CustomFieldStringValue", |w| {
            w.leaf("key", key);
            w.text("value", value);
        });
    }
}

/// A moment as the API writes it; what has no zone is taken for UTC.
pub(super) fn time(moment: Moment) -> String {
    let text = moment.to_string();
    if text.ends_with('Z') { text } else { format!("{text}Z") }
}

/// A name as the inventory writes it: three characters are escaped.
pub(super) fn encoded_name(name: &str) -> Cow<'_, str> {
    if !name.contains(['%', '/', '\\']) {
        return Cow::Borrowed(name);
    }
    Cow::Owned(name.replace('%', "%25").replace('/', "%2f").replace('\\', "%5c"))
}
