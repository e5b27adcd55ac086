//! Writes tables and joins anew: views, the query's own tables, and nothing else.

use sqlparser::ast::{
    Ident, Join, JoinConstraint, JoinOperator, ObjectName, ObjectNamePart, Spanned, TableAlias,
    TableFactor, TableWithJoins,
};

use super::error::QueryError;
use super::guard::Target;
use super::print::{Printed, Printer};
use super::words::view_names;
use super::{findings, place, views};

impl Printer {
    pub fn table_with_joins(&mut self, table: &TableWithJoins) -> Printed {
        let TableWithJoins { relation, joins } = table;
        let mut sql = self.table(relation)?;
        for join in joins {
            sql.push_str(&self.join(join)?);
        }
        Ok(sql)
    }

    fn join(&mut self, join: &Join) -> Printed {
        let Join { relation, global, join_operator } = join;
        let span = place::of_table(relation);
        let (word, constraint) = match join_operator {
            JoinOperator::Join(it) | JoinOperator::Inner(it) => ("join", it),
            JoinOperator::Left(it) | JoinOperator::LeftOuter(it) => ("left join", it),
            JoinOperator::Right(it) | JoinOperator::RightOuter(it) => ("right join", it),
            JoinOperator::FullOuter(it) => ("full join", it),
            JoinOperator::CrossJoin(it) => ("cross join", it),
            _ => return self.refuse(span, "known are inner, left, right, full and cross joins"),
        };
        if *global {
            return self.refuse(span, "`global` is not known here");
        }
        let table = self.table(relation)?;
        let on = match (constraint, word) {
            (JoinConstraint::None, "cross join") => String::new(),
            (_, "cross join") => return self.refuse(span, "a cross join has no condition"),
            (JoinConstraint::On(condition), _) => format!(" on {}", self.expression(condition)?),
            (JoinConstraint::Using(columns), _) => {
                let mut names = Vec::new();
                for column in columns {
                    let ident = self.one_part(column)?;
                    names.push(self.column(ident)?);
                }
                format!(" using ({})", names.join(", "))
            }
            (JoinConstraint::Natural, _) => {
                let reason =
                    "a natural join would compare `unobserved`, too: write `using` or `on`";
                return self.refuse(span, reason);
            }
            (JoinConstraint::None, _) => return self.refuse(span, "the join has no `on`"),
        };
        Ok(format!(" {word} {table}{on}"))
    }

    fn table(&mut self, table: &TableFactor) -> Printed {
        match table {
            TableFactor::Table {
                name,
                alias,
                args,
                with_hints,
                version,
                with_ordinality,
                partitions,
                json_path,
                sample,
                index_hints,
            } => {
                if args.is_some() {
                    return self.refuse(name.span(), "a function is no table");
                }
                let is_plain = with_hints.is_empty()
                    && version.is_none()
                    && !with_ordinality
                    && partitions.is_empty()
                    && json_path.is_none()
                    && sample.is_none()
                    && index_hints.is_empty();
                match is_plain {
                    true => self.named_table(name, alias.as_ref()),
                    false => self.refuse(name.span(), "a view is named, and nothing more"),
                }
            }
            TableFactor::Derived { lateral, subquery, alias, sample } => {
                let span = place::of_table(table);
                if *lateral || sample.is_some() {
                    return self.refuse(span, "`lateral` and samples are not known here");
                }
                let Some(alias) = alias else {
                    return self.refuse(span, "a `select` as a table needs a name");
                };
                let sql = self.query(subquery, None)?;
                let alias = self.alias(alias, None)?;
                Ok(format!("({sql}) as {alias}"))
            }
            TableFactor::NestedJoin { table_with_joins, alias: None } => {
                self.deeper(place::of_table(table))?;
                let sql = self.table_with_joins(table_with_joins)?;
                self.back();
                Ok(format!("({sql})"))
            }
            _ => self
                .refuse(place::of_table(table), "only views and a `select` in brackets are tables"),
        }
    }

    fn named_table(&mut self, name: &ObjectName, alias: Option<&TableAlias>) -> Printed {
        let ident = self.one_part(name)?;
        let word = ident.value.to_lowercase();
        let (table, view) = match views::view(&word) {
            Some(view) => {
                self.learnt.views.insert(view.name);
                let table = match self.terms.target {
                    Target::Plain => view.name.to_owned(),
                    _ if view.name == "findings" && self.terms.has_findings => {
                        findings::TABLE.to_owned()
                    }
                    Target::Sqlite | Target::Postgres => format!("q_{}", view.name),
                };
                (table, Some(view.name))
            }
            None if self.learnt.tables.contains(&word) => (self.own_table(&word), None),
            None => {
                let own = self.learnt.tables.iter().map(String::as_str);
                let known: Vec<&str> = view_names().map(|it| -> &str { it }).chain(own).collect();
                return self.unknown(ident, "view", known.into_iter());
            }
        };
        let alias = match alias {
            Some(alias) => self.alias(alias, view)?,
            None => {
                self.learnt.qualifiers.entry(word.clone()).or_default().insert(view);
                word
            }
        };
        Ok(format!("{table} as {alias}"))
    }

    fn alias(
        &mut self,
        alias: &TableAlias,
        view: Option<&'static str>,
    ) -> Result<String, QueryError> {
        let TableAlias { explicit: _, name, columns, at } = alias;
        if !columns.is_empty() || at.is_some() {
            return self.refuse(name.span, "columns are named where they are selected");
        }
        let word = self.new_name(name)?;
        self.learnt.qualifiers.entry(word.clone()).or_default().insert(view);
        Ok(word)
    }

    pub fn one_part<'n>(&self, name: &'n ObjectName) -> Result<&'n Ident, QueryError> {
        match name.0.as_slice() {
            [ObjectNamePart::Identifier(ident)] => Ok(ident),
            _ => {
                self.refuse(name.span(), format!("`{name}` is in another schema: there is but one"))
            }
        }
    }
}
