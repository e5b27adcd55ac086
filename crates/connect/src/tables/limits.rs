//! Named limits on hostile or broken input. Reaching one is an error or a gap, never silence.

/// Limits on one file. The defaults are far above any real export and far below a machine's memory.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Entries in a zip archive: a workbook has about 40, a folder of CSV files 27.
    pub zip_entries_max: usize,
    /// Sheets in a workbook: a full export has 27, a merged one about the same.
    pub sheets_max: usize,
    /// Inflated size of one entry: 50,000 machines make a sheet of about 300 MB.
    pub entry_bytes_max: u64,
    /// How many times larger than its packed form an entry may be, beyond
    /// [`inflation_free_bytes`](Self::inflation_free_bytes). Sheets of blank rows reach 200.
    pub inflation_ratio_max: u64,
    /// Inflated size up to which the ratio is not looked at.
    pub inflation_free_bytes: u64,
    /// Rows in a sheet: the format's own limit.
    pub rows_max: u32,
    /// Columns in a sheet: the format allows 16,384, no export has more than a few hundred.
    pub columns_max: usize,
    /// Length of one row's text, or of one markup tag.
    pub row_bytes_max: usize,
    /// Text of all shared strings together.
    pub shared_strings_bytes_max: usize,
    /// Size of one CSV file, which is decoded in memory.
    pub csv_bytes_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            zip_entries_max: 2_000,
            sheets_max: 256,
            entry_bytes_max: 8 << 30,
            inflation_ratio_max: 400,
            inflation_free_bytes: 64 << 20,
            rows_max: 1_048_576,
            columns_max: 2_048,
            row_bytes_max: 16 << 20,
            shared_strings_bytes_max: 3 << 30,
            csv_bytes_max: 2 << 30,
        }
    }
}
