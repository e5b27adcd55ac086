//! Views that are not made of a noun's rows: what they show. Their statements are in `schema.rs`.

use super::{ColumnInfo, ColumnType};

/// A view beyond the tables.
pub(crate) struct FurtherView {
    pub name: &'static str,
    pub meaning: &'static str,
    pub columns: &'static [ColumnInfo],
}

const fn column(name: &'static str, kind: ColumnType, meaning: &'static str) -> ColumnInfo {
    ColumnInfo { name, kind, unit: "", meaning, is_indexed: false }
}

const fn text(name: &'static str, meaning: &'static str) -> ColumnInfo {
    column(name, ColumnType::Text, meaning)
}

const fn count(name: &'static str, meaning: &'static str) -> ColumnInfo {
    column(name, ColumnType::Integer, meaning)
}

const fn time(name: &'static str, meaning: &'static str) -> ColumnInfo {
    column(name, ColumnType::Time, meaning)
}

const PLATFORM: ColumnInfo = text("platform", "The platform");
const CONNECTOR: ColumnInfo = text("connector", "Name of the connector that read it");

/// Every one.
pub(crate) const FURTHER_VIEWS: &[FurtherView] = &[
    FurtherView {
        name: "applications",
        meaning: "What workloads serve, as people say",
        columns: &[
            text("name", "Its name"),
            text("owner", "Who answers for it; none where its workloads disagree or nobody says"),
            count("workload_count", "Workloads that serve it"),
        ],
    },
    FurtherView {
        name: "findings",
        meaning: "What connectors found worth a person's time at the latest whole reading, and where sources disagree (`ENT-0211`, connector `entente`)",
        columns: &[
            PLATFORM,
            CONNECTOR,
            text("severity", "`critical`, `warning` or `information`"),
            text("code", "Stable code with a page of its own"),
            text("subject", "What it is about"),
            text("message", "What was found"),
            text("remedy", "What to do"),
        ],
    },
    FurtherView {
        name: "changes",
        meaning: "States of everything: from when, up to when",
        columns: &[
            PLATFORM,
            CONNECTOR,
            text("kind", "Which list it belongs to: `workloads`, `hosts` …"),
            text("id", "What tells it from others of its kind on its platform"),
            count("incarnation", "Counts up when an id is given to another thing"),
            time("observed_from", "First reading that told this state"),
            time("observed_to", "First reading that told another, or none; none while it is so"),
            time("recorded", "When the store learnt of it"),
            count("mapper", "Version of the mappers that read it"),
        ],
    },
    FurtherView {
        name: "collections",
        meaning: "Readings of platforms, deltas included",
        columns: &[
            PLATFORM,
            CONNECTOR,
            text("source", "What was read"),
            time("observed", "When the platform was seen"),
            text(
                "observed_by",
                "How that is known: `utc`, `local` (told without a zone, taken as UTC), `recorded` (not told)",
            ),
            time("recorded", "When it was recorded"),
            count("mapper", "Version of the mappers that read it"),
            count("objects", "Objects seen"),
            column(
                "is_latest",
                ColumnType::Boolean,
                "The latest whole one of this platform by this connector",
            ),
            column(
                "is_delta",
                ColumnType::Boolean,
                "Tells only of what changed since the one before",
            ),
        ],
    },
    FurtherView {
        name: "gaps",
        meaning: "What was not observed at the latest whole reading, and why",
        columns: &[
            PLATFORM,
            CONNECTOR,
            text("cause", "Kind of reason: `no-permission`, `timed-out` …"),
            text("section", "Tab or kind of object"),
            text("field", "Column header or field, as the source writes it"),
            text("file", "File name, or the platform's address"),
            count("line", "Row as a spreadsheet counts it"),
            text("message", "What happened and what it means"),
            text("value", "The value that could not be mapped, shortened, secrets redacted"),
            count("occurrences", "How many rows it stands for"),
        ],
    },
];
