//! Small labels with a meaning. Each has a symbol and a word besides its colour.

use entente_app::document::{CheckSeverity, SupportState};
use entente_model::Severity;
use maud::{Markup, html};

/// A label of a style class (`ready`, `conditional`, `blocked`, `unknown`, `neutral`).
pub fn tag(class: &str, symbol: &str, word: &str) -> Markup {
    html! {
        span class={ "badge " (class) } { span aria-hidden="true" { (symbol) } " " (word) }
    }
}

/// Severity of a finding.
pub fn severity(severity: Severity) -> Markup {
    match severity {
        Severity::Critical => tag("blocked", "✕", severity.as_str()),
        Severity::Warning => tag("conditional", "!", severity.as_str()),
        Severity::Information => tag("neutral", "i", severity.as_str()),
    }
}

/// Severity of a check for one target.
pub fn check_severity(severity: CheckSeverity) -> Markup {
    match severity {
        CheckSeverity::Blocker => tag("blocked", "✕", "blocker"),
        CheckSeverity::Warning => tag("conditional", "!", "warning"),
        CheckSeverity::Information => tag("neutral", "i", "information"),
        CheckSeverity::NotApplicable => tag("neutral", "–", "not applicable"),
    }
}

/// Where a support window stands.
pub fn support_state(state: SupportState) -> Markup {
    match state {
        SupportState::Ended => tag("blocked", "✕", "ended"),
        SupportState::Ending => tag("conditional", "!", "ends within 12 months"),
        SupportState::Supported => tag("ready", "✓", "supported"),
        SupportState::Unknown => tag("unknown", "?", "unknown"),
    }
}
