//! Progress on a terminal; silence elsewhere.

use entente_connect::connector::Watch;
use indicatif::{HumanCount, ProgressBar, ProgressStyle};

/// A line on the terminal that tells what was read.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Hidden unless stderr is a terminal.
    pub fn new() -> Self {
        let bar = ProgressBar::new(0);
        if let Ok(style) =
            ProgressStyle::with_template("{bar:20} {pos}/{len} {msg} {elapsed} left {eta}")
        {
            bar.set_style(style);
        }
        Self { bar }
    }

    /// Removes the line.
    pub fn done(&self) {
        self.bar.finish_and_clear();
    }
}

impl Watch for Progress {
    fn section(&self, source: &str, section: &str, rows: u64, done: usize, all: usize) {
        self.bar.set_length(all as u64);
        self.bar.set_position(done as u64);
        self.bar.set_message(format!("{source} {section}: {} rows", HumanCount(rows)));
    }
}
