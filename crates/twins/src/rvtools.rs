//! What RVTools would have exported of an estate.
//!
//! Header sets and cell forms follow the facts on RVTools 3.8 to 4.7: each tab is a table of columns
//! with the versions that carry them (`tabs`), each column says what stands in its cells. What the
//! model does not hold (bus numbers, certificate subjects …) is filled in plausibly from a hash of
//! the object's name, as real exports fill nearly every column.
//!
//! Secrets: a [`Collection`](entente_model::Collection) never holds any. The writer invents licence
//! keys, and passwords where [`Defect::ClearTextPasswords`] asks for them; [`secrets`] lists all that
//! it planted, so that a test can look for them in what a reader kept.

mod carried;
mod cell;
mod csv_files;
mod defects;
mod export;
mod spec;
mod tabs;
mod workbook;
mod writer;

pub use carried::carried_by;
pub use spec::{
    Booleans, Dates, Defect, ExportSpec, Format, Numbers, Separator, Tab, Version, Written,
};
pub use tabs::headers;
pub use writer::{WriteError, secrets, write, write_merged};
