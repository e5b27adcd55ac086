//! A compiled expression.

use entente_model::Text;

use crate::check;
use crate::diagnostic::Diagnostic;
use crate::evaluate::Evaluation;
use crate::node::Node;
use crate::truth::Truth;
use crate::types::Environment;
use crate::value::Record;

/// A checked expression of type bool, ready to be evaluated any number of times.
#[derive(Debug)]
pub struct Expression {
    pub(crate) source: Text,
    pub(crate) root: Node,
    /// What the nodes' path ids stand for; 0 is the source.
    pub(crate) paths: Vec<Text>,
    /// Those of them that are attributes, sorted.
    pub(crate) attributes: Vec<Text>,
    /// Names of the roots it reads.
    pub(crate) roots: Vec<&'static str>,
}

impl Expression {
    /// Parses and checks `source`.
    ///
    /// # Errors
    ///
    /// Every mistake found, in the order of the text; never empty.
    pub fn compile(source: &str, environment: &Environment) -> Result<Self, Vec<Diagnostic>> {
        check::compile(source, environment)
    }

    /// What the expression says of `roots`, given in the environment's order.
    pub fn evaluate(&self, roots: &[&dyn Record]) -> Truth {
        match Evaluation::new(roots).test(&self.root, None) {
            Ok(true) => Truth::True,
            Ok(false) => Truth::False,
            Err(unknown) => Truth::Unknown(unknown.into_missing(&self.paths)),
        }
    }

    /// Whether it reads the root `name`.
    pub fn uses_root(&self, name: &str) -> bool {
        self.roots.contains(&name)
    }

    /// Paths of the attributes that it may read, sorted: `workload.disks`, `workload.disks[].mode`.
    pub fn attributes(&self) -> &[Text] {
        &self.attributes
    }

    /// The text from which it was compiled.
    pub fn source(&self) -> &str {
        &self.source
    }
}
