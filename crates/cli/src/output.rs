//! Everything that the command prints: data to stdout, talk to stderr.

pub mod changes;
pub mod links;
pub mod platforms;
pub mod query;
pub mod remembered;
pub mod show;
mod summary;
mod table;
mod workloads;

use std::fs::File;
use std::io::{self, BufWriter, Write};

use serde::Serialize;

pub use summary::summary;
pub use table::Style;
pub use workloads::workloads;

use crate::arguments::Listing;
use crate::failure::Failure;

/// Something that is shown as tables, as rows, or serialized.
pub trait Screens: Serialize {
    /// For people.
    fn screens(&self, style: Style, out: &mut dyn Write) -> io::Result<()>;

    /// As CSV.
    fn rows(&self, out: &mut dyn Write) -> io::Result<()>;
}

/// Writes something to stdout in the form that was asked for.
pub fn print(form: Listing, what: &impl Screens) -> Result<(), Failure> {
    write(|out| match form {
        Listing::Table => what.screens(Style::Text, out),
        Listing::Markdown => what.screens(Style::Markdown, out),
        Listing::Csv => what.rows(out),
        Listing::Json => {
            serde_json::to_writer_pretty(&mut *out, what).map_err(io::Error::from)?;
            out.write_all(b"\n")
        }
    })
}

/// Writes data to stdout. A reader that went away (`| head`) is no failure.
pub fn write(
    data: impl FnOnce(&mut BufWriter<io::StdoutLock<'static>>) -> io::Result<()>,
) -> Result<(), Failure> {
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let written = data(&mut out).and_then(|()| out.flush());
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::output("to stdout", &error)),
        Ok(()) => Ok(()),
    }
}

/// Says something to the person at the terminal.
pub fn talk(text: &str) {
    // Where stderr is gone there is nobody to tell.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Gives a file that was made privately the permissions of any other new file.
#[cfg(unix)]
pub fn make_readable(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

/// Elsewhere, permissions come from the folder.
#[cfg(not(unix))]
pub fn make_readable(_: &File) -> io::Result<()> {
    Ok(())
}
