//! Redaction of secrets that people leave in free text, in settings and in documents.
//!
//! What is shown too little costs a look at the platform; what is shown too much is an incident. So where
//! a text may be read either way, it is redacted.

use std::sync::LazyLock;

use entente_model::Text;
use regex::{Captures, Regex, RegexSet};

/// What stands where a secret stood.
pub const REDACTED: &str = "[redacted]";

/// Words that announce a secret, whatever stands before them: `cipassword`, `clientSecret`,
/// `VAULT_TOKEN`. Of several languages, since notes are written by people.
const STRONG: &str = r"(?:password|passwd|passphrase|passcode|passwort|kennwort|wachtwoord|contrase(?:ñ|n)a|pwd|secret|token|credentials?|api[\s_-]?key|private[\s_-]?key|secret[\s_-]?(?:access[\s_-]?)?key|licen[cs]e[\s_-]?key|mot\s+de\s+passe)";

/// Words that do so only where they stand alone or after a `_`, `-` or `.`: `compass` is none.
const WEAK: &str =
    r"(?:(?:root|admin|administrator|sa|db|user|service|svc)?(?:pass|pw)|creds|mdp|clave|senha)";

fn spelled_out(pattern: &str) -> String {
    format!("(?ix){}", pattern.replace("STRONG", STRONG).replace("WEAK", WEAK))
}

fn compile(pattern: &str) -> Option<Regex> {
    Regex::new(&spelled_out(pattern)).ok()
}

/// How secrets look.
struct Patterns {
    /// All at once, to leave most texts alone after one look.
    any: RegexSet,
    /// In the order in which they replace.
    each: Vec<Regex>,
}

/// In each, `before` is kept, and `secret` is not.
///
/// A joint (`:`, `=`, `is`) is needed, so that "password reset by the help desk" is left alone.
static PATTERNS: LazyLock<Option<Patterns>> = LazyLock::new(|| {
    let patterns = [
        // Blocks of keys.
        r"(?P<before>-----BEGIN\s[A-Z\s]*PRIVATE\sKEY-----)(?P<secret>[^-]+)",
        // https://user:secret@host
        r"(?P<before>://[^\s/:@]+:)(?P<secret>[^\s/@]+)@",
        // <password>secret</password>, <entry name='password'>secret</entry>
        r#"(?P<before><(?:[\w:.-]*STRONG|(?:[\w:.-]*[_.:-])?WEAK)\d*(?:\s[^<>]*)?>\s*)(?P<secret>[^<\s][^<]*)"#,
        r#"(?P<before>["'](?:[\w:.-]*STRONG|(?:[\w:.-]*[_.-])?WEAK)\d*["'][^<>]*[^<>/]>\s*|["'](?:[\w:.-]*STRONG|(?:[\w:.-]*[_.-])?WEAK)\d*["']>\s*)(?P<secret>[^<\s][^<]*)"#,
        // "name": "password", "value": "secret"
        r#"(?P<before>["'](?:[\w:.-]*STRONG|(?:[\w:.-]*[_.-])?WEAK)\d*["']\s*,?\s*["']?\b(?:value|data)["']?\s*[:=]\s*)(?P<secret>"(?:[^"\\]|\\.)*"|'[^']*'|[^\s"'<]+)"#,
        // -object secret,id=…,data=secret
        r"(?P<before>\bsecret,(?:[^\s]*,)?data=)(?P<secret>[^\s,]+)",
        // password: secret, PASSWORD=secret, "password": "secret", the password is secret
        r#"(?P<before>\b(?:[\w.-]*STRONG|(?:[\w.-]*[_.-])?WEAK)\d*["']?(?:\s+(?:is|ist|est)\b\s*:?|\s*(?:[:=]|->|=>))\s*)(?P<secret>"(?:[^"\\]|\\.)*"|'[^']*'|[^\s"'<]+)"#,
        // Authorization: Bearer secret
        r"(?P<before>\bbearer\s+)(?P<secret>[\w.~+/=-]{8,})",
        // login: admin / secret
        r#"(?P<before>\b(?:login|log-?on|credentials?|creds|user/(?:pass|pw)\w*|zugang|anmeldung)\s*[:=]?\s*[\w.@\\-]+\s*/\s*)(?P<secret>[^\s"',;/]+)"#,
        // Licence keys of five groups of five.
        r"(?P<before>\b)(?P<secret>[0-9A-Z]{5}-[0-9A-Z]{5}-[0-9A-Z]{5}-[0-9A-Z]{5}-[0-9A-Z]{5})\b",
    ]
    .map(spelled_out);
    let each: Option<Vec<Regex>> = patterns.iter().map(|it| Regex::new(it).ok()).collect();
    Some(Patterns { any: RegexSet::new(&patterns).ok()?, each: each? })
});

/// The name of a setting whose value is a secret.
static NAME: LazyLock<Option<Regex>> =
    LazyLock::new(|| compile(r"(?:STRONG|(?:^|[\s_.:-])WEAK)\d*$"));

/// What ends a secret that stands without quotes among other settings: `password=secret,port=5432`.
static NEXT: LazyLock<Option<Regex>> = LazyLock::new(|| compile(r"[,;](?:$|[\w.-]+[:=])"));

/// The text, with every secret in it replaced by [`REDACTED`].
pub fn redacted(text: &str) -> Text {
    redact(text).unwrap_or_else(|| Text::new(text))
}

/// The value of a setting: nothing of it where its name says that it is a secret.
pub fn redacted_value(name: &str, value: &str) -> Text {
    if names_secret(name) && !value.is_empty() {
        Text::new_static(REDACTED)
    } else {
        redacted(value)
    }
}

/// Whether values by this name are secrets.
pub fn names_secret(name: &str) -> bool {
    NAME.as_ref().is_none_or(|it| it.is_match(name.trim()))
}

/// The text with every secret replaced by [`REDACTED`]; `None` if there was none to replace.
pub fn redact(text: &str) -> Option<Text> {
    let Some(patterns) = PATTERNS.as_ref() else {
        // A pattern of ours that does not compile must not let secrets through.
        return Some(Text::new_static(REDACTED));
    };
    if !patterns.any.is_match(text) {
        return None;
    }
    let mut current = None::<String>;
    for pattern in &patterns.each {
        let subject = current.as_deref().unwrap_or(text);
        if pattern.is_match(subject) {
            current = Some(pattern.replace_all(subject, replacement).into_owned());
        }
    }
    current.filter(|it| it != text).map(Text::from)
}

/// What stands instead of one match: quotes, and settings that follow, are kept.
fn replacement(found: &Captures<'_>) -> String {
    let part = |name| found.name(name).map_or("", |it| it.as_str());
    let (before, secret) = (part("before"), part("secret"));
    let whole = found.get(0).map_or("", |it| it.as_str());
    let after = whole.get(before.len() + secret.len()..).unwrap_or_default();
    if secret == REDACTED {
        return whole.to_owned();
    }
    if let Some(quote @ ('"' | '\'')) = secret.chars().next() {
        return format!("{before}{quote}{REDACTED}{quote}{after}");
    }
    let end = NEXT.as_ref().and_then(|it| it.find(secret)).map_or(secret.len(), |it| it.start());
    let rest = secret.get(end..).unwrap_or_default();
    format!("{before}{REDACTED}{}{after}", redacted(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_compile() {
        assert!(PATTERNS.is_some() && NAME.is_some() && NEXT.is_some());
    }

    #[test]
    fn secrets_are_redacted_wherever_people_leave_them() {
        let check = |text: &str, expect: &str| assert_eq!(redacted(text), expect);
        // Notes.
        check("root password: Sup3r!Geheim, ask DBA", "root password: [redacted], ask DBA");
        check("pwd=hunter2", "pwd=[redacted]");
        check("Kennwort: \"abc 1\"", "Kennwort: \"[redacted]\"");
        check("the password is swordfish.", "the password is [redacted]");
        check("mot de passe : azerty", "mot de passe : [redacted]");
        check("login: admin / Welcome1", "login: admin / [redacted]");
        check("key 0A65P-00HD0-3Z5M1-M097M-22P7H here", "key [redacted] here");
        // Settings and environments.
        check("API_KEY=sk-123 TOKEN=abc", "API_KEY=[redacted] TOKEN=[redacted]");
        check("MYSQL_ROOT_PASSWORD=x", "MYSQL_ROOT_PASSWORD=[redacted]");
        check("AWS_SECRET_ACCESS_KEY=x", "AWS_SECRET_ACCESS_KEY=[redacted]");
        check("VAULT_TOKEN=a,b;c", "VAULT_TOKEN=[redacted]");
        check("cipassword: $5$abc", "cipassword: [redacted]");
        check("password=x,port=1,token=y", "password=[redacted],port=1,token=[redacted]");
        check(
            "-object secret,id=s0,data=x,format=raw",
            "-object secret,id=s0,data=[redacted],format=raw",
        );
        check("https://ops:pa:ss@example.org/x", "https://ops:[redacted]@example.org/x");
        check("Bearer abcdefgh.ijkl", "Bearer [redacted]");
        // Documents.
        check(r#"{"password":"x y","port":1}"#, r#"{"password":"[redacted]","port":1}"#);
        check(
            r#"["lxc.environment","APP_TOKEN=x"]"#,
            r#"["lxc.environment","APP_TOKEN=[redacted]"]"#,
        );
        check(
            r#"{"name":"DB_PASSWORD","value":"x"}"#,
            r#"{"name":"DB_PASSWORD","value":"[redacted]"}"#,
        );
        check("<app:password>x y</app:password>", "<app:password>[redacted]</app:password>");
        check("<e name='db_pass' u='1'>x</e>", "<e name='db_pass' u='1'>[redacted]</e>");
        check(
            "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
            "-----BEGIN RSA PRIVATE KEY-----[redacted]-----END RSA PRIVATE KEY-----",
        );
    }

    #[test]
    fn redacting_again_changes_nothing() {
        for text in ["password: a, b", "https://a:b@c", "<pw>x</pw>", r#"{"token":"x"}"#] {
            let once = redacted(text);
            assert_eq!(redact(&once), None, "{once}");
        }
    }

    #[test]
    fn ordinary_notes_are_left_alone() {
        for text in [
            "password reset by the help desk on Monday",
            "passthrough: GPU 2",
            "Compass: north wing",
            "Enclave: DMZ",
            "owner: team payroll; ticket 4711",
            "Token ring migration finished",
            "<secret type='passphrase'/><name>x</name>",
            "https://example.org:8443/path@2",
        ] {
            assert_eq!(redact(text), None, "{text}");
        }
    }

    #[test]
    fn a_name_tells_that_its_value_is_a_secret() {
        for name in ["Root Password", "guestinfo.db_pass", "DB_PW", "api-key", "backup token"] {
            assert_eq!(redacted_value(name, "x"), REDACTED, "{name}");
        }
        for name in ["Compass", "owner", "password policy", "bypass"] {
            assert_eq!(redacted_value(name, "x"), "x", "{name}");
        }
    }
}
