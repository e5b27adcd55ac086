//! The parts that pages are built from. Each renders complete, readable HTML without JavaScript;
//! none knows which page it is on.

mod badge;
mod bars;
mod fact;
mod headline;
mod heat_map;
mod page;
mod section;
mod stacked_bar;
mod table;
mod verdict;

pub use badge::{check_severity, severity, support_state, tag};
pub use bars::{Bar, bars, grouped_bars};
pub use fact::{fact, quantity, quantity_mib};
pub use headline::{Headline, headlines};
pub use heat_map::{HeatCell, heat_cell, workloads_link};
pub use page::Page;
pub use section::{details, note, section, subsection};
pub use stacked_bar::{Part, legend, stacked_bar};
pub use table::{Column, ColumnKind, Table};
pub use verdict::{VerdictStyle, verdict_badge, verdict_parts, verdict_style};
