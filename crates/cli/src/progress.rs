//! Progress on a terminal, a line for each source; silence elsewhere.

use std::collections::BTreeMap;
use std::sync::Mutex;

use entente_connect::connector::Watch;
use indicatif::{HumanCount, MultiProgress, ProgressBar, ProgressStyle};

/// Lines on the terminal that tell what was read.
#[derive(Debug, Default)]
pub struct Progress {
    lines: MultiProgress,
    bars: Mutex<BTreeMap<String, ProgressBar>>,
}

impl Progress {
    /// Hidden unless stderr is a terminal.
    pub fn new() -> Self {
        Self::default()
    }

    /// Removes the lines.
    pub fn done(&self) {
        // Where nothing can be shown there is nothing to remove.
        let _ = self.lines.clear();
    }

    fn bar(&self, source: &str) -> Option<ProgressBar> {
        let mut bars = self.bars.lock().ok()?;
        let bar = bars.entry(source.to_owned()).or_insert_with(|| {
            let bar = self.lines.add(ProgressBar::new(0));
            let template = "{bar:20} {pos}/{len} {msg} {elapsed} left {eta}";
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar
        });
        Some(bar.clone())
    }
}

impl Watch for Progress {
    fn section(&self, source: &str, section: &str, rows: u64, done: usize, all: usize) {
        let Some(bar) = self.bar(source) else { return };
        bar.set_length(all as u64);
        bar.set_position(done as u64);
        bar.set_message(format!("{source} {section}: {} rows", HumanCount(rows)));
    }
}
