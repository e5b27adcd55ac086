//! Tables as text for a terminal or as Markdown.

use std::io::{self, Write};

/// How a table looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Columns lined up by spaces.
    Text,
    /// A Markdown table.
    Markdown,
}

/// A table: headers and rows. Columns whose header begins with `>` are aligned right.
#[derive(Debug)]
pub struct Table {
    headers: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table.
    pub fn new(headers: &[&'static str]) -> Self {
        Self::of(headers.iter().map(|it| (*it).to_owned()).collect())
    }

    /// An empty table of columns that are known only now.
    pub fn of(headers: Vec<String>) -> Self {
        Self { headers, rows: Vec::new() }
    }

    /// Adds a row.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.cells(cells.into());
    }

    /// Adds a row of as many cells as there are headers.
    pub fn cells(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// True without a row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Writes it.
    pub fn write(&self, style: Style, out: &mut dyn Write) -> io::Result<()> {
        match style {
            Style::Text => self.write_text(out),
            Style::Markdown => self.write_markdown(out),
        }
    }

    fn write_text(&self, out: &mut dyn Write) -> io::Result<()> {
        let shown: Vec<String> =
            self.headers.iter().map(|it| it.trim_start_matches('>').to_uppercase()).collect();
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            let longest = cells.chain(shown.get(column)).map(|it| it.chars().count()).max();
            longest.unwrap_or_default()
        };
        let widths: Vec<usize> = (0..self.headers.len()).map(width).collect();
        for row in std::iter::once(&shown).chain(&self.rows) {
            let mut line = String::from(" ");
            for ((cell, header), width) in row.iter().zip(&self.headers).zip(&widths) {
                let padding = " ".repeat(width - cell.chars().count().min(*width));
                let (before, after) = if header.starts_with('>') {
                    (padding, String::new())
                } else {
                    (String::new(), padding)
                };
                line.push_str(&format!(" {before}{cell}{after} "));
            }
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }

    fn write_markdown(&self, out: &mut dyn Write) -> io::Result<()> {
        let line = |cells: &mut dyn Iterator<Item = String>| {
            format!("| {} |", cells.collect::<Vec<_>>().join(" | "))
        };
        let escape = |cell: &str| cell.replace('|', "\\|").replace('<', "&lt;");
        let mut headers = self.headers.iter().map(|it| it.trim_start_matches('>').to_owned());
        writeln!(out, "{}", line(&mut headers))?;
        let mut rules = self
            .headers
            .iter()
            .map(|header| String::from(if header.starts_with('>') { "--:" } else { ":--" }));
        writeln!(out, "{}", line(&mut rules))?;
        for row in &self.rows {
            writeln!(out, "{}", line(&mut row.iter().map(|cell| escape(cell))))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(style: Style) -> String {
        let mut table = Table::new(&["name", ">count"]);
        table.row(["Büro".into(), "7".into()]);
        table.row(["a|b".into(), "1,200".into()]);
        let mut out = Vec::new();
        table.write(style, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn columns_line_up() {
        assert_eq!(shown(Style::Text), "  NAME  COUNT\n  Büro      7\n  a|b   1,200\n");
    }

    #[test]
    fn markdown_escapes_what_would_break_the_table() {
        assert_eq!(
            shown(Style::Markdown),
            "| name | count |\n| :-- | --: |\n| Büro | 7 |\n| a\\|b | 1,200 |\n"
        );
    }
}
