//! From the text of a file to drafts of checks: every field checked by itself, every mistake noted,
//! nothing yet known of the catalogue to which they will be applied.

use std::collections::BTreeSet;

use entente_expr::{Expression, nearest};
use entente_model::Text;

use super::error::Mistakes;
use super::yaml::{Kind, Node, Span, parse};
use super::{Check, OWN_TOPIC, check_environment};
use crate::data::Evidence;
use crate::targets::Targets;
use crate::verdict::CheckSeverity;

/// Most checks in one file: a catalogue is reviewed by people.
const CHECKS_MAX: usize = 2_000;

const SEVERITIES: [CheckSeverity; 4] = [
    CheckSeverity::Blocker,
    CheckSeverity::Warning,
    CheckSeverity::Information,
    CheckSeverity::NotApplicable,
];

const FILE_FIELDS: [&str; 2] = ["version", "checks"];

const CHECK_FIELDS: [&str; 10] = [
    "id",
    "topic",
    "title",
    "expression",
    "severity",
    "remedy",
    "source",
    "evidence",
    "origin",
    "disabled",
];

/// A file of checks.
#[derive(Debug, Default)]
pub(super) struct File {
    pub version: Option<Text>,
    pub drafts: Vec<Draft>,
}

/// A field of a draft.
#[derive(Debug, Default)]
enum Field<T> {
    /// Not mentioned.
    #[default]
    Missing,
    /// Mentioned, with a mistake that has been noted.
    Bad,
    /// Mentioned.
    Given(T),
}

impl<T> Field<T> {
    fn given(self) -> Option<T> {
        match self {
            Self::Given(value) => Some(value),
            Self::Missing | Self::Bad => None,
        }
    }
}

impl<T> From<Option<T>> for Field<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Bad, Self::Given)
    }
}

/// What a file says of one check.
#[derive(Debug)]
pub(super) struct Draft {
    pub id: Text,
    pub span: Span,
    topic: Field<Text>,
    title: Field<Text>,
    expression: Field<Expression>,
    /// By target; `None` where not mentioned.
    severity: Field<Vec<Option<CheckSeverity>>>,
    severity_span: Span,
    remedy: Field<Text>,
    source: Field<Text>,
    evidence: Field<Evidence>,
    origin: Field<Vec<Text>>,
    disabled: Field<bool>,
}

impl Draft {
    /// True if it drops the check.
    pub fn disables(&self) -> bool {
        matches!(self.disabled, Field::Given(true))
    }

    /// What a new check needs and this does not mention.
    pub fn missing(&self) -> Vec<&'static str> {
        let fields = [
            ("`title`", matches!(self.title, Field::Missing)),
            ("`expression`", matches!(self.expression, Field::Missing)),
            ("`severity`", matches!(self.severity, Field::Missing)),
            ("`remedy`", matches!(self.remedy, Field::Missing)),
        ];
        fields.into_iter().filter(|(_, missing)| *missing).map(|(name, _)| name).collect()
    }

    /// Overrides what this mentions.
    pub fn change(self, check: &mut Check) {
        replace(&mut check.topic, self.topic);
        replace(&mut check.title, self.title);
        replace(&mut check.remedy, self.remedy);
        replace(&mut check.source, self.source);
        replace(&mut check.evidence, self.evidence);
        replace(&mut check.origin, self.origin);
        replace(&mut check.expression, self.expression);
        check.reads_target = check.expression.uses_root("target");
        for (severity, given) in
            check.severities.iter_mut().zip(self.severity.given().unwrap_or_default())
        {
            *severity = given.unwrap_or(*severity);
        }
    }

    /// The new check; `None` where a field is bad or a target has no severity.
    pub fn into_check(
        self,
        targets: &Targets,
        file_name: &str,
        mistakes: &mut Mistakes,
    ) -> Option<Check> {
        let severities = self.severity.given()?;
        let without: Vec<String> = targets
            .ids()
            .zip(&severities)
            .filter(|(_, severity)| severity.is_none())
            .map(|(id, _)| format!("`{id}`"))
            .collect();
        if !without.is_empty() {
            let message = format!("severity for {} is missing", without.join(", "));
            let hint = "say `not-applicable` where the check says nothing".to_owned();
            mistakes.add(self.severity_span, message, Some(hint));
            return None;
        }
        let expression = self.expression.given()?;
        Some(Check {
            id: self.id,
            topic: self.topic.given().unwrap_or_else(|| Text::from(OWN_TOPIC)),
            title: self.title.given()?,
            reads_target: expression.uses_root("target"),
            expression,
            severities: severities.into_iter().flatten().collect(),
            remedy: self.remedy.given()?,
            source: self.source.given().unwrap_or_else(|| Text::from(file_name)),
            evidence: self.evidence.given().unwrap_or(Evidence::Unverified),
            origin: self.origin.given().unwrap_or_default(),
        })
    }
}

fn replace<T>(old: &mut T, new: Field<T>) {
    if let Field::Given(new) = new {
        *old = new;
    }
}

/// Reads a file, noting every mistake.
pub(super) fn file(text: &str, targets: &Targets, mistakes: &mut Mistakes) -> File {
    let root = match parse(text) {
        Ok(root) => root,
        Err(broken) => {
            mistakes.add(broken.span, broken.message, None);
            return File::default();
        }
    };
    let mut reader = Reader { text, targets, mistakes };
    reader.file(&root)
}

struct Reader<'r> {
    text: &'r str,
    targets: &'r Targets,
    mistakes: &'r mut Mistakes,
}

impl Reader<'_> {
    fn file(&mut self, root: &Node) -> File {
        let mut file = File::default();
        let Some(entries) = self.map(root, "the file") else { return file };
        if !entries.iter().any(|(key, _)| key.text() == Some("checks")) {
            self.mistakes.add(root.span, "the file has no `checks`", None);
        }
        for (key, value) in entries {
            match self.field(key, &FILE_FIELDS, "the file") {
                Some("version") => file.version = self.line(value, "`version`"),
                Some("checks") => file.drafts = self.checks(value),
                _ => {}
            }
        }
        file
    }

    fn checks(&mut self, node: &Node) -> Vec<Draft> {
        let list = match &node.kind {
            Kind::List(list) if list.len() <= CHECKS_MAX => list,
            Kind::List(_) => {
                let message = format!("more than {CHECKS_MAX} checks in one file");
                self.mistakes.add(node.span, message, None);
                return Vec::new();
            }
            _ => {
                self.expected(node, "`checks`", "a list");
                return Vec::new();
            }
        };
        let mut ids = BTreeSet::new();
        let mut drafts = Vec::new();
        for node in list {
            let Some(draft) = self.check(node) else { continue };
            if ids.insert(draft.id.clone()) {
                drafts.push(draft);
            } else {
                let message = format!("check `{}` is in this file twice", draft.id);
                self.mistakes.add(draft.span, message, None);
            }
        }
        drafts
    }

    fn check(&mut self, node: &Node) -> Option<Draft> {
        let entries = self.map(node, "a check")?;
        let id = entries.iter().find(|(key, _)| key.text() == Some("id"));
        let id = match id {
            Some((_, value)) => self.id(value).map(|id| (id, value.span)),
            None => {
                self.mistakes.add(node.span, "a check has no `id`", None);
                None
            }
        };
        let (id, span) = match id {
            Some((id, span)) => (Some(id), span),
            None => (None, node.span),
        };
        // The other fields are read in any case: all mistakes in one go.
        let mut draft = Draft::new(span);
        for (key, value) in entries {
            self.check_field(&mut draft, key, value);
        }
        draft.id = id?;
        Some(draft)
    }

    fn check_field(&mut self, draft: &mut Draft, key: &Node, value: &Node) {
        match self.field(key, &CHECK_FIELDS, "a check") {
            Some("topic") => draft.topic = self.line(value, "`topic`").into(),
            Some("title") => draft.title = self.line(value, "`title`").into(),
            Some("remedy") => draft.remedy = self.line(value, "`remedy`").into(),
            Some("source") => draft.source = self.line(value, "`source`").into(),
            Some("expression") => draft.expression = self.expression(value).into(),
            Some("evidence") => draft.evidence = self.evidence(value).into(),
            Some("origin") => draft.origin = self.lines(value, "`origin`").into(),
            Some("disabled") => draft.disabled = self.boolean(value, "`disabled`").into(),
            Some("severity") => {
                draft.severity = self.severities(value).into();
                draft.severity_span = key.span;
            }
            _ => {}
        }
    }

    /// The field that a key names; an unknown one is a mistake.
    fn field<'k>(&mut self, key: &'k Node, known: &[&'static str], what: &str) -> Option<&'k str> {
        let Some(name) = key.text() else {
            self.expected(key, "the name of a field", "text");
            return None;
        };
        if known.contains(&name) {
            return Some(name);
        }
        let hint = match nearest(name, known.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("{what} has {}", listed(known)),
        };
        self.mistakes.add(key.span, format!("unknown field `{name}`"), Some(hint));
        None
    }

    fn id(&mut self, node: &Node) -> Option<Text> {
        let id = self.line(node, "`id`")?;
        let is_word = |word: &str| {
            !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        };
        if id.split('-').all(is_word) {
            return Some(id);
        }
        let hint = "an id is lower-case words and digits joined by hyphens, `disk-shared`";
        self.mistakes.add(node.span, format!("`{id}` is not an id"), Some(hint.to_owned()));
        None
    }

    fn expression(&mut self, node: &Node) -> Option<Expression> {
        let source = self.line(node, "`expression`")?;
        match Expression::compile(&source, &check_environment()) {
            Ok(expression) => Some(expression),
            Err(diagnostics) => {
                let written = node.text().unwrap_or_default();
                let skipped = written.chars().take_while(|c| c.is_whitespace()).count();
                for diagnostic in diagnostics {
                    let index = skipped + index_of(&source, diagnostic.line, diagnostic.column);
                    let place = node.place(self.text, index);
                    self.mistakes.add_diagnostic(diagnostic, place);
                }
                None
            }
        }
    }

    /// One word for all targets, or a map from target to word.
    fn severities(&mut self, node: &Node) -> Option<Vec<Option<CheckSeverity>>> {
        if node.text().is_some() {
            let severity = self.severity(node)?;
            return Some(vec![Some(severity); self.targets.len()]);
        }
        let entries = self.map(node, "`severity`")?;
        let mut severities = vec![None; self.targets.len()];
        let mut is_good = true;
        for (key, value) in entries {
            let slot = self.target(key).and_then(|at| severities.get_mut(at));
            let severity = self.severity(value);
            match (slot, severity) {
                (Some(slot), Some(severity)) => *slot = Some(severity),
                _ => is_good = false,
            }
        }
        is_good.then_some(severities)
    }

    fn target(&mut self, key: &Node) -> Option<usize> {
        let id = self.line(key, "a target")?;
        let position = self.targets.position(&id);
        if position.is_none() {
            let known: Vec<&str> = self.targets.ids().collect();
            self.unknown_word(key, "target", &id, &known);
        }
        position
    }

    fn severity(&mut self, node: &Node) -> Option<CheckSeverity> {
        let word = self.line(node, "a severity")?;
        let severity = SEVERITIES.into_iter().find(|it| it.as_str() == word);
        if severity.is_none() {
            let known = SEVERITIES.map(CheckSeverity::as_str);
            self.unknown_word(node, "severity", &word, &known);
        }
        severity
    }

    fn evidence(&mut self, node: &Node) -> Option<Evidence> {
        let word = self.line(node, "`evidence`")?;
        let evidence = Evidence::ALL.into_iter().find(|it| it.as_str() == word);
        if evidence.is_none() {
            self.unknown_word(node, "evidence", &word, &Evidence::ALL.map(Evidence::as_str));
        }
        evidence
    }

    fn boolean(&mut self, node: &Node, what: &str) -> Option<bool> {
        match node.text() {
            Some("true") => Some(true),
            Some("false") => Some(false),
            _ => {
                self.expected(node, what, "`true` or `false`");
                None
            }
        }
    }

    /// Text that is not blank, without the white space around it.
    fn line(&mut self, node: &Node, what: &str) -> Option<Text> {
        match node.text().map(str::trim) {
            Some("") => {
                self.mistakes.add(node.span, format!("{what} is empty"), None);
                None
            }
            Some(text) => Some(Text::from(text)),
            None => {
                self.expected(node, what, "text");
                None
            }
        }
    }

    fn lines(&mut self, node: &Node, what: &str) -> Option<Vec<Text>> {
        let Kind::List(list) = &node.kind else {
            self.expected(node, what, "a list");
            return None;
        };
        list.iter().map(|node| self.line(node, what)).collect()
    }

    fn map<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n [(Node, Node)]> {
        match &node.kind {
            Kind::Map(entries) => Some(entries),
            _ => {
                self.expected(node, what, "a map");
                None
            }
        }
    }

    fn expected(&mut self, node: &Node, what: &str, expected: &str) {
        let message = format!("{what} must be {expected}, not {}", node.noun());
        self.mistakes.add(node.span, message, None);
    }

    fn unknown_word(&mut self, node: &Node, what: &str, word: &str, known: &[&str]) {
        let hint = match nearest(word, known.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("it is one of {}", listed(known)),
        };
        self.mistakes.add(node.span, format!("unknown {what} `{word}`"), Some(hint));
    }
}

impl Draft {
    fn new(span: Span) -> Self {
        Self {
            id: Text::default(),
            span,
            topic: Field::Missing,
            title: Field::Missing,
            expression: Field::Missing,
            severity: Field::Missing,
            severity_span: span,
            remedy: Field::Missing,
            source: Field::Missing,
            evidence: Field::Missing,
            origin: Field::Missing,
            disabled: Field::Missing,
        }
    }
}

fn listed(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    quoted.join(", ")
}

/// How many characters of `text` stand before this line and column, both from 1.
fn index_of(text: &str, line: u32, column: u32) -> usize {
    let before: usize = text
        .split('\n')
        .take(line.saturating_sub(1) as usize)
        .map(|line| line.chars().count() + 1)
        .sum();
    before + column.saturating_sub(1) as usize
}
