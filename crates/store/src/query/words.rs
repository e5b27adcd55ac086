//! What a query may say: functions by name, and the words that are no names.

use super::views;

/// What kind of function it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    /// Of one row.
    Scalar,
    /// Of many rows; also over a window.
    Aggregate,
    /// Over a window only.
    Window,
    /// Of Entente's own: it is written out for each engine.
    Own,
}

/// A function that a query may call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Function {
    pub name: &'static str,
    pub sort: Sort,
    /// Arguments at least and at most.
    pub arguments: (usize, usize),
    pub meaning: &'static str,
}

const fn function(
    name: &'static str,
    sort: Sort,
    arguments: (usize, usize),
    meaning: &'static str,
) -> Function {
    Function { name, sort, arguments, meaning }
}

/// Every function that a query may call.
pub(crate) const FUNCTIONS: &[Function] = &[
    function("abs", Sort::Scalar, (1, 1), "a number without its sign"),
    function("avg", Sort::Aggregate, (1, 1), "mean"),
    function("coalesce", Sort::Scalar, (2, 9), "the first that is not null"),
    function("count", Sort::Aggregate, (1, 1), "how many"),
    function("dense_rank", Sort::Window, (0, 0), "rank without holes"),
    function("first_value", Sort::Window, (1, 1), "value of the first row"),
    function(
        "instr",
        Sort::Scalar,
        (2, 2),
        "where the second text begins in the first; 0 if it is not in it",
    ),
    function("lag", Sort::Window, (1, 2), "value of an earlier row"),
    function("last_value", Sort::Window, (1, 1), "value of the last row"),
    function("lead", Sort::Window, (1, 2), "value of a later row"),
    function("length", Sort::Scalar, (1, 1), "letters of a text"),
    function("lower", Sort::Scalar, (1, 1), "in small letters"),
    function("ltrim", Sort::Scalar, (1, 1), "without spaces on the left"),
    function("max", Sort::Aggregate, (1, 1), "the greatest"),
    function("min", Sort::Aggregate, (1, 1), "the least"),
    function("ntile", Sort::Window, (1, 1), "in which of so many equal parts"),
    function("nullif", Sort::Scalar, (2, 2), "null if both are equal, else the first"),
    function("rank", Sort::Window, (0, 0), "rank"),
    function("round", Sort::Own, (1, 2), "to so many digits"),
    function("row_number", Sort::Window, (0, 0), "number of the row"),
    function("rtrim", Sort::Scalar, (1, 1), "without spaces on the right"),
    function(
        "string_agg",
        Sort::Own,
        (2, 2),
        "all texts in their order, with the second between them",
    ),
    function("substr", Sort::Scalar, (2, 3), "a part of a text: from, how many letters"),
    function("sum", Sort::Aggregate, (1, 1), "sum"),
    function("trim", Sort::Scalar, (1, 1), "without spaces on both sides"),
    function("upper", Sort::Scalar, (1, 1), "in capital letters"),
    function("now", Sort::Own, (0, 0), "the time as of which the query is asked"),
    function("days_ago", Sort::Own, (1, 1), "the time so many days before `now()`"),
    function("hours_ago", Sort::Own, (1, 1), "the time so many hours before `now()`"),
    function("age_days", Sort::Own, (1, 1), "whole days from a time to `now()`"),
    function("gib", Sort::Own, (1, 1), "bytes as GiB, to one digit"),
    function("is_absent", Sort::Own, (1, 1), "true if a column was observed to have no value"),
    function("is_unobserved", Sort::Own, (1, 1), "true if nobody knows a column's value"),
    function("why", Sort::Own, (1, 1), "why nobody knows a column's value: `no-permission` …"),
];

/// The function of a name.
pub(super) fn function_of(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|it| it.name == name)
}

/// Words that one of the engines does not take for a name.
const RESERVED: &str = "\
    abort add all alter always analyse analyze and any array as asc asymmetric attach authorization \
    autoincrement before between binary both by cascade case cast check collate collation column commit \
    concurrently conflict constraint create cross current current_catalog current_date current_role \
    current_schema current_time current_timestamp current_user database default deferrable deferred \
    delete desc detach distinct do drop each else end escape except exclude exclusive exists explain fail \
    false fetch filter first following for foreign freeze from full generated glob grant group groups \
    having if ignore ilike immediate in index indexed initially inner insert instead intersect into is \
    isnull join key last lateral leading left like limit localtime localtimestamp match materialized \
    natural no not nothing notnull null nulls of off offset on only or order others outer over overlaps \
    partition placing plan pragma preceding primary query raise range recursive references regexp reindex \
    release rename replace restrict returning right rollback row rows savepoint select session_user \
    similar some symmetric system_user table tablesample temp temporary then ties to trailing transaction \
    trigger true unbounded union unique update user using vacuum values variadic verbose view virtual \
    when where window with within without rowid oid ctid xmin xmax cmin cmax tableoid _rowid_";

/// Whether something may be given this name.
pub(super) fn is_name(word: &str) -> bool {
    let mut letters = word.bytes();
    let begins = letters.next().is_some_and(|it| it.is_ascii_lowercase() || it == b'_');
    begins
        && word.len() <= 60
        && letters.all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'_')
        && !word.starts_with("pg_")
        && !word.starts_with("sqlite_")
        && !RESERVED.split_whitespace().any(|it| it == word)
}

/// The known word that is nearest, if one is near.
pub(super) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let limit = (word.chars().count() / 3).max(1);
    let letters = |word: &str| {
        let mut letters: Vec<char> = word.chars().collect();
        letters.sort_unstable();
        letters
    };
    // The same letters in another order are one slip.
    let slips = |it: &str| if letters(it) == letters(word) { 1 } else { distance(word, it) };
    let distances = known.map(|it| (slips(it), it));
    distances.filter(|it| it.0 <= limit).min().map(|it| it.1.to_owned())
}

/// How many letters differ.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (number, letter) in one.chars().enumerate() {
        let mut diagonal = number;
        let mut left = number + 1;
        let mut next = vec![left];
        for (above, it) in row.iter().skip(1).zip(&other) {
            left = (above + 1).min(left + 1).min(diagonal + usize::from(*it != letter));
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

/// Names of all views.
pub(super) fn view_names() -> impl Iterator<Item = &'static str> {
    views::all().iter().map(|it| it.name)
}
