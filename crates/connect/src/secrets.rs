//! Redaction of secrets that people leave in free text.

use std::sync::LazyLock;

use entente_model::Text;
use regex::Regex;

/// What stands where a secret stood.
pub const REDACTED: &str = "[redacted]";

/// A word that announces a secret, what joins it, and the secret itself.
///
/// Words of several languages, since notes are written by people. A joint (`:`, `=`, `is`) is needed,
/// so that "password reset by the help desk" is left alone.
static ANNOUNCED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?ix)
        \b(?P<word>
            (?:root|admin|administrator|sa|db|user|service|svc)?[\s_-]?
            (?:pass(?:word|wd|phrase|code)?|pwd|pw|kennwort|passwort|passwd|mot\s+de\s+passe|mdp|
               contrase(?:ñ|n)a|clave|wachtwoord|senha|secret(?:[\s_-]?key)?|api[\s_-]?key|token|
               credentials?|creds|licen[cs]e[\s_-]?key)
        )
        (?P<joint>\s*(?:is\s*:?|ist\s*:?|est\s*:?|[:=]|->)\s*["']?)
        (?P<secret>[^\s"',;]+)"#,
    )
    .ok()
});

/// `user / secret` pairs after a word such as login.
static PAIR: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?ix)
        \b(?P<word>login|log-?on|credentials?|creds|user/(?:pass|pw)\w*|zugang|anmeldung)
        (?P<joint>\s*[:=]?\s*[\w.@\\-]+\s*/\s*)
        (?P<secret>[^\s"',;/]+)"#,
    )
    .ok()
});

/// Licence keys of five groups of five.
static KEY: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"\b[0-9A-Z]{5}-[0-9A-Z]{5}-[0-9A-Z]{5}-[0-9A-Z]{5}-[0-9A-Z]{5}\b").ok()
});

/// The text with every secret replaced by [`REDACTED`]; `None` if there was none to replace.
pub fn redact(text: &str) -> Option<Text> {
    let mut current = None::<String>;
    for (pattern, keeps_words) in [(&ANNOUNCED, true), (&PAIR, true), (&KEY, false)] {
        let subject = current.as_deref().unwrap_or(text);
        let Some(pattern) = pattern.as_ref() else {
            // A pattern of ours that does not compile must not let secrets through.
            return Some(Text::new_static(REDACTED));
        };
        let replacement = if keeps_words { "${word}${joint}[redacted]" } else { REDACTED };
        if pattern.is_match(subject) {
            let replaced = pattern.replace_all(subject, replacement).into_owned();
            current = Some(replaced);
        }
    }
    current.filter(|it| it != text).map(Text::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_compile() {
        assert!(ANNOUNCED.is_some() && PAIR.is_some() && KEY.is_some());
    }

    #[test]
    fn secrets_in_notes_are_redacted() {
        let check = |text: &str, expect: &str| {
            assert_eq!(redact(text).as_deref().unwrap_or(text), expect);
        };
        check("root password: Sup3r!Geheim, ask DBA", "root password: [redacted], ask DBA");
        check("pwd=hunter2", "pwd=[redacted]");
        check("Kennwort: \"abc 1\"", "Kennwort: \"[redacted] 1\"");
        check("the password is swordfish.", "the password is [redacted]");
        check("login: admin / Welcome1", "login: admin / [redacted]");
        check("key 0A65P-00HD0-3Z5M1-M097M-22P7H here", "key [redacted] here");
        check("API_KEY=sk-123 TOKEN=abc", "API_KEY=[redacted] TOKEN=[redacted]");
    }

    #[test]
    fn ordinary_notes_are_left_alone() {
        for text in [
            "password reset by the help desk on Monday",
            "passthrough: GPU 2",
            "Compass: north wing",
            "owner: team payroll; ticket 4711",
            "Token ring migration finished",
        ] {
            assert_eq!(redact(text), None, "{text}");
        }
    }
}
