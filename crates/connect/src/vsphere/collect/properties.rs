//! Properties as they are, of objects of one kind: for measuring and looking, not for collections.

use std::sync::Arc;

use entente_model::{Gap, Text};

use super::super::wire::{Object, Paths, Tree};
use super::objects::{Query, Which, objects};
use super::session::{ObjectSink, Session};
use crate::live::{ConnectError, Gaps, Run};

/// One property of one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Property<'a> {
    /// The object's id, `vm-42`.
    pub object: &'a str,
    /// The property, as it was asked for.
    pub path: &'a str,
    /// Its text; empty for a structure.
    pub text: &'a str,
}

/// What [`properties`] read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PropertiesRead {
    /// Objects.
    pub objects: u64,
    /// What was not observed.
    pub gaps: Vec<Gap>,
}

/// Reads these properties of every object of a kind (`VirtualMachine`) in a vCenter or on an ESXi
/// host, and hands each over while it arrives, on a thread of its own.
pub async fn properties(
    run: Run<'_>,
    kind: &str,
    paths: &[&str],
    sink: impl FnMut(Property<'_>) + Send + 'static,
) -> Result<PropertiesRead, ConnectError> {
    let session = Session::open(run).await.map_err(|reason| run.refused(reason))?;
    let mut gaps = Gaps::default();
    let paths = vec![Paths::of(kind, "properties", paths)];
    let query = Query { which: Which::All, paths };
    let told = Told { objects: 0, sink };
    let told = objects(&session, query, told, &mut gaps).await;
    session.close().await;
    Ok(PropertiesRead {
        objects: told.objects,
        gaps: gaps.finish(&Text::clone(&run.target.address)),
    })
}

struct Told<F> {
    objects: u64,
    sink: F,
}

impl<F: FnMut(Property<'_>) + Send + 'static> ObjectSink for Told<F> {
    fn object(&mut self, object: &Object<'_>, _: &Tree) -> bool {
        self.objects += 1;
        for (path, value) in object.told() {
            (self.sink)(Property { object: object.reference.id, path, text: value.text() });
        }
        true
    }

    fn begin(&mut self, _: &Arc<[Paths]>) {
        self.objects = 0;
    }

    fn count(&self) -> u64 {
        self.objects
    }
}
