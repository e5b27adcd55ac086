//! Which export to write: version, format, locale, mishaps.

/// A version of RVTools at which the header sets changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// 3.8 (2016).
    V3_8,
    /// 3.11.6 (2019).
    V3_11,
    /// 4.0.4 (2020).
    V4_0,
    /// 4.1.2 (2021).
    V4_1,
    /// 4.3.1 (2022).
    V4_3,
    /// 4.4.1 (2023).
    V4_4,
    /// 4.6.1 (2024).
    V4_6,
    /// 4.7.1 (2024).
    V4_7,
}

impl Version {
    /// Every version, oldest first.
    pub const ALL: [Self; 8] = [
        Self::V3_8,
        Self::V3_11,
        Self::V4_0,
        Self::V4_1,
        Self::V4_3,
        Self::V4_4,
        Self::V4_6,
        Self::V4_7,
    ];

    /// The version as vMetaData writes it.
    pub fn number(self) -> &'static str {
        match self {
            Self::V3_8 => "3.8.0.0",
            Self::V3_11 => "3.11.6.0",
            Self::V4_0 => "4.0.4.0",
            Self::V4_1 => "4.1.2.0",
            Self::V4_3 => "4.3.1.0",
            Self::V4_4 => "4.4.1.0",
            Self::V4_6 => "4.6.1.0",
            Self::V4_7 => "4.7.1.4",
        }
    }
}

/// A tab. `vFloppy` ended with 4.0; the other 27 are those of 4.7.
#[expect(missing_docs, reason = "each is named like its tab")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tab {
    VInfo,
    VCpu,
    VMemory,
    VDisk,
    VPartition,
    VNetwork,
    VFloppy,
    VCd,
    VUsb,
    VSnapshot,
    VTools,
    VSource,
    VRp,
    VCluster,
    VHost,
    VHba,
    VNic,
    VSwitch,
    VPort,
    DvSwitch,
    DvPort,
    VScVmk,
    VDatastore,
    VMultiPath,
    VLicense,
    VFileInfo,
    VHealth,
    VMetaData,
}

impl Tab {
    /// Every tab, in the order of the workbook. Where `vFloppy` stood is not documented; before vCD
    /// is a guess.
    pub const ALL: [Self; 28] = [
        Self::VInfo,
        Self::VCpu,
        Self::VMemory,
        Self::VDisk,
        Self::VPartition,
        Self::VNetwork,
        Self::VFloppy,
        Self::VCd,
        Self::VUsb,
        Self::VSnapshot,
        Self::VTools,
        Self::VSource,
        Self::VRp,
        Self::VCluster,
        Self::VHost,
        Self::VHba,
        Self::VNic,
        Self::VSwitch,
        Self::VPort,
        Self::DvSwitch,
        Self::DvPort,
        Self::VScVmk,
        Self::VDatastore,
        Self::VMultiPath,
        Self::VLicense,
        Self::VFileInfo,
        Self::VHealth,
        Self::VMetaData,
    ];

    /// Its name in the workbook.
    pub fn name(self) -> &'static str {
        match self {
            Self::VInfo => "vInfo",
            Self::VCpu => "vCPU",
            Self::VMemory => "vMemory",
            Self::VDisk => "vDisk",
            Self::VPartition => "vPartition",
            Self::VNetwork => "vNetwork",
            Self::VFloppy => "vFloppy",
            Self::VCd => "vCD",
            Self::VUsb => "vUSB",
            Self::VSnapshot => "vSnapshot",
            Self::VTools => "vTools",
            Self::VSource => "vSource",
            Self::VRp => "vRP",
            Self::VCluster => "vCluster",
            Self::VHost => "vHost",
            Self::VHba => "vHBA",
            Self::VNic => "vNIC",
            Self::VSwitch => "vSwitch",
            Self::VPort => "vPort",
            Self::DvSwitch => "dvSwitch",
            Self::DvPort => "dvPort",
            Self::VScVmk => "vSC_VMK",
            Self::VDatastore => "vDatastore",
            Self::VMultiPath => "vMultiPath",
            Self::VLicense => "vLicense",
            Self::VFileInfo => "vFileInfo",
            Self::VHealth => "vHealth",
            Self::VMetaData => "vMetaData",
        }
    }

    /// Whether `version` writes it.
    pub fn is_in(self, version: Version) -> bool {
        match self {
            Self::VFloppy => version <= Version::V4_0,
            Self::VLicense | Self::VMetaData => version >= Version::V3_11,
            Self::VUsb | Self::VFileInfo => version >= Version::V4_1,
            Self::VSource => version >= Version::V4_3,
            _ => true,
        }
    }
}

/// File format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One workbook.
    Xlsx,
    /// A folder of `RVTools_tab<Tab>.csv`.
    CsvFolder,
    /// The same in a zip file.
    CsvZip,
}

/// Separator of CSV fields: the list separator of the exporting machine's region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Separator {
    /// `,`
    Comma,
    /// `;`
    Semicolon,
    /// A tab.
    Tab,
}

/// How CSV files write numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// `16384`, `1.5`
    Plain,
    /// `16,384`, `1.5`
    CommaThousands,
    /// `16.384`, `1,5`
    DotThousands,
}

/// How CSV files write dates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dates {
    /// `2026/06/15 05:40:00`, since 3.7.
    YearFirst,
    /// `15.06.2026 05:40:00`, by region, up to 3.6 and after a round trip through a spreadsheet.
    DayFirst,
}

/// How yes and no are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Booleans {
    /// Text `True`, `False`: what RVTools writes.
    Words,
    /// Text `TRUE`, `FALSE`.
    Capitals,
    /// Real booleans, as a spreadsheet makes them; in CSV like [`Booleans::Capitals`].
    Real,
    /// Text `yes`, `no`.
    YesNo,
}

/// What a person, a spreadsheet or an old version does to an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Defect {
    /// 500 empty rows below the data of every tab, formatted but blank.
    BlankTrailingRows,
    /// A tab was deleted.
    MissingTab(Tab),
    /// A column was deleted; the header as of 4.7.
    MissingColumn(Tab, &'static str),
    /// A tab was renamed.
    RenamedTab(Tab, &'static str),
    /// A column of the user's own, `Move?`, stands after the third.
    InsertedColumn(Tab),
    /// A column stands twice; the header as of 4.7.
    DuplicateColumn(Tab, &'static str),
    /// About one row in seven was deleted, in this tab only.
    RowsDeleted(Tab),
    /// CSV: the last row ends in the middle of a field.
    LastRowCut(Tab),
    /// About one number in fifty is `n/a`.
    GarbageNumbers,
    /// Texts of 13 or more digits became scientific notation, `1E+15`.
    ScientificIds,
    /// Headers in lower case.
    LowerCaseHeaders,
    /// Headers in upper case.
    UpperCaseHeaders,
    /// Headers with doubled and trailing spaces.
    SpacedHeaders,
    /// CSV in Windows-1252.
    Windows1252,
    /// CSV with a UTF-8 byte order mark.
    ByteOrderMark,
    /// CSV in UTF-16, little-endian with a byte order mark.
    Utf16,
    /// The workbook or zip file ends after three fifths.
    TruncatedZip,
    /// Workbook: the XML of this tab ends in the middle.
    TruncatedTab(Tab),
    /// Passwords stand in clear in about one annotation in forty and one snapshot description in
    /// five.
    ClearTextPasswords,
}

/// Which export to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportSpec {
    /// Version of RVTools.
    pub version: Version,
    /// File format.
    pub format: Format,
    /// Separator of CSV fields.
    pub separator: Separator,
    /// Numbers in CSV.
    pub numbers: Numbers,
    /// Dates in CSV.
    pub dates: Dates,
    /// Yes and no.
    pub booleans: Booleans,
    /// Headers are internal names, as `-DBColumnNames` gives them.
    pub db_column_names: bool,
    /// Mishaps.
    pub defects: Vec<Defect>,
    /// For the mishaps and for what the model does not hold.
    pub seed: u64,
}

impl ExportSpec {
    /// A clean export of this version and format, from a machine set to plain English.
    pub fn new(version: Version, format: Format) -> Self {
        Self {
            version,
            format,
            separator: Separator::Comma,
            numbers: Numbers::Plain,
            dates: Dates::YearFirst,
            booleans: Booleans::Words,
            db_column_names: false,
            defects: Vec::new(),
            seed: 1,
        }
    }

    pub(super) fn has(&self, defect: &Defect) -> bool {
        self.defects.contains(defect)
    }
}

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Tabs.
    pub tabs: u64,
    /// Rows, headers not counted.
    pub rows: u64,
    /// Cells with a value, headers not counted.
    pub cells: u64,
}
