//! Named points of the way in, at which a test stops a process to kill it there: no timing decides where.
//!
//! They are there with the feature `named-points` alone, which no release has; without it they are nothing.
//! `ENTENTE_POINT=trace` tells each point that is passed on stderr, `ENTENTE_POINT=NAME#3` stops for ever at
//! the third pass of one, having said so. `ENTENTE_PATIENCE_MS` is how long it waits for another writer.

/// A point is passed.
#[cfg(not(feature = "named-points"))]
#[inline(always)]
pub fn reached(_name: &str) {}

/// How long to wait for another writer.
#[cfg(not(feature = "named-points"))]
#[inline(always)]
pub(crate) fn patience(usual: std::time::Duration) -> std::time::Duration {
    usual
}

#[cfg(feature = "named-points")]
pub use armed::reached;

#[cfg(feature = "named-points")]
pub(crate) use armed::{inserted, patience};

#[cfg(feature = "named-points")]
mod armed {
    use std::io::Write;
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    /// What the environment asks for.
    enum Asked {
        Nothing,
        Trace,
        Stop { name: String, pass: u64 },
    }

    static ASKED: LazyLock<Asked> = LazyLock::new(|| {
        let Ok(text) = std::env::var("ENTENTE_POINT") else { return Asked::Nothing };
        match text.split_once('#') {
            Some((name, pass)) => {
                Asked::Stop { name: name.to_owned(), pass: pass.parse().unwrap_or(1) }
            }
            None => Asked::Trace,
        }
    });

    static PASSES: AtomicU64 = AtomicU64::new(0);

    /// A point is passed.
    pub fn reached(name: &str) {
        match &*ASKED {
            Asked::Nothing => {}
            Asked::Trace => say(&format!("passed {name}")),
            Asked::Stop { name: wanted, pass } => {
                if wanted == name && PASSES.fetch_add(1, Ordering::SeqCst) + 1 == *pass {
                    say(&format!("stopped at {name}#{pass}"));
                    loop {
                        std::thread::park();
                    }
                }
            }
        }
    }

    /// Rows went in; the point is named after their table.
    pub(crate) fn inserted(statement: &str) {
        let table = statement.split_whitespace().nth(2).unwrap_or_default();
        reached(table);
    }

    /// How long to wait for another writer: a test need not wait as long as people do.
    pub(crate) fn patience(usual: Duration) -> Duration {
        let asked = std::env::var("ENTENTE_PATIENCE_MS").ok().and_then(|it| it.parse().ok());
        asked.map_or(usual, Duration::from_millis)
    }

    fn say(line: &str) {
        let _ = writeln!(std::io::stderr(), "{line}");
    }
}
