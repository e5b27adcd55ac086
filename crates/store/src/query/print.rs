//! Writes a query anew, statement and tables; expressions are in `expression.rs`.
//!
//! Every part of the tree is taken apart whole: what is not written here is refused, and a part that a
//! newer parser adds does not compile until somebody has looked at it.

use std::collections::BTreeSet;

use sqlparser::ast::{
    Cte, Distinct, Expr, GroupByExpr, Ident, LimitClause, Offset, OrderBy, OrderByExpr,
    OrderByKind, OrderByOptions, OrderBySort, Query, Select, SelectFlavor, SelectItem,
    SelectItemQualifiedWildcardKind, SetExpr, SetOperator, SetQuantifier, TableAlias,
    TableWithJoins, Value, WildcardAdditionalOptions, With,
};
use sqlparser::tokenizer::Span;

use super::error::{Position, QueryError};
use super::guard::{Names, Target, Terms};
use super::words::{is_name, nearest};
use super::{place, views};

pub(super) type Printed = Result<String, QueryError>;

/// Deepest nesting that is written.
const DEPTH_MAX: usize = 80;

/// How many times as long texts may become by joining them.
const GROWTH_MAX: u64 = 4_096;

/// Writes one query.
pub(super) struct Printer {
    pub terms: Terms,
    /// What the query names, if that has been learnt.
    known: Option<Names>,
    pub learnt: Names,
    depth: usize,
    growth: u64,
    unnamed: usize,
}

impl Printer {
    pub fn new(terms: Terms, known: Option<Names>) -> Self {
        Self { terms, known, learnt: Names::default(), depth: 0, growth: 1, unnamed: 0 }
    }

    pub fn into_names(self) -> Names {
        self.learnt
    }

    /// The whole query, with the limit of rows.
    pub fn whole(&mut self, query: &Query) -> Printed {
        self.query(query, self.terms.rows_max)
    }

    pub fn refuse<T>(&self, span: Span, reason: impl Into<String>) -> Result<T, QueryError> {
        Err(QueryError::Refused { position: Position::of(span), reason: reason.into() })
    }

    pub fn unknown<'a, T>(
        &self,
        ident: &Ident,
        what: &'static str,
        known: impl Iterator<Item = &'a str>,
    ) -> Result<T, QueryError> {
        let word = ident.value.to_lowercase();
        let near = nearest(&word, known);
        let position = Position::of(ident.span);
        Err(QueryError::Unknown { position, what, word: ident.value.clone(), near })
    }

    pub fn deeper(&mut self, span: Span) -> Result<(), QueryError> {
        self.depth += 1;
        match self.depth > DEPTH_MAX {
            true => self.refuse(span, format!("it is nested more than {DEPTH_MAX} deep")),
            false => Ok(()),
        }
    }

    pub fn back(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// Texts that are joined may be of tables that were joined of joined texts …
    pub fn grow(&mut self, times: usize, span: Span) -> Result<(), QueryError> {
        self.growth = self.growth.saturating_mul(u64::try_from(times).unwrap_or(u64::MAX));
        match self.growth > GROWTH_MAX {
            true => self.refuse(span, "it joins texts too often"),
            false => Ok(()),
        }
    }

    pub fn query(&mut self, query: &Query, rows_max: Option<u64>) -> Printed {
        let span = place::of_query(query);
        self.deeper(span)?;
        let Query {
            with,
            body,
            order_by,
            limit_clause,
            fetch,
            locks,
            for_clause,
            settings,
            format_clause,
            pipe_operators,
        } = query;
        if fetch.is_some() {
            return self.refuse(span, "`fetch` is not known here: write `limit`");
        }
        if !locks.is_empty() || for_clause.is_some() {
            return self.refuse(span, "`for` would lock rows, or write another form");
        }
        if settings.is_some() || format_clause.is_some() || !pipe_operators.is_empty() {
            return self.refuse(span, "settings, formats and pipes are not known here");
        }
        let mut sql = match with {
            Some(with) => self.with(with)?,
            None => String::new(),
        };
        sql.push_str(&self.set(body)?);
        if let Some(order_by) = order_by {
            let OrderBy { kind, interpolate } = order_by;
            let OrderByKind::Expressions(expressions) = kind else {
                return self.refuse(span, "`order by all` is not known here");
            };
            if interpolate.is_some() {
                return self.refuse(span, "`interpolate` is not known here");
            }
            sql.push_str(" order by ");
            sql.push_str(&self.order(expressions)?);
        }
        sql.push_str(&self.limit(limit_clause.as_ref(), rows_max, span)?);
        self.back();
        Ok(sql)
    }

    fn with(&mut self, with: &With) -> Printed {
        let With { with_token, recursive, cte_tables } = with;
        if *recursive {
            return self.refuse(with_token.0.span, "`recursive` may never end");
        }
        let mut tables = Vec::new();
        for cte in cte_tables {
            let Cte { alias, query, from, materialized, closing_paren_token: _ } = cte;
            let TableAlias { explicit: _, name, columns, at } = alias;
            if from.is_some() || materialized.is_some() || at.is_some() {
                return self.refuse(name.span, "`materialized` and the like are not known here");
            }
            let word = self.new_name(name)?;
            if views::view(&word).is_some() {
                return self.refuse(name.span, format!("`{word}` is a view: choose another name"));
            }
            let mut names = Vec::new();
            for column in columns {
                if column.data_type.is_some() {
                    return self.refuse(name.span, "columns have no types here");
                }
                let column = self.new_name(&column.name)?;
                self.learnt.columns.insert(column.clone());
                names.push(column);
            }
            let columns = match names.is_empty() {
                true => String::new(),
                false => format!(" ({})", names.join(", ")),
            };
            // Known only after its own text: it may not ask itself.
            let body = self.query(query, None)?;
            tables.push(format!("{}{columns} as ({body})", self.own_table(&word)));
            self.learnt.tables.insert(word);
        }
        Ok(format!("with {} ", tables.join(", ")))
    }

    /// The query's own tables have names that no table of the store has.
    pub fn own_table(&self, word: &str) -> String {
        match self.terms.target {
            Target::Plain => word.to_owned(),
            Target::Sqlite | Target::Postgres => format!("c_{word}"),
        }
    }

    fn set(&mut self, set: &SetExpr) -> Printed {
        let (mut set, mut right) = (set, Vec::new());
        // Of three and more, the first two are innermost: not by recursion, there may be many.
        while let SetExpr::SetOperation { left, op, set_quantifier, right: last } = set {
            let all = match set_quantifier {
                SetQuantifier::All => " all",
                SetQuantifier::None | SetQuantifier::Distinct => "",
                _ => {
                    return self
                        .refuse(place::of_set(set), "columns are matched by place, not by name");
                }
            };
            let word = match (op, all) {
                (SetOperator::Union, _) => "union",
                (SetOperator::Except, "") => "except",
                (SetOperator::Intersect, "") => "intersect",
                _ => {
                    let reason = "known are `union`, `union all`, `intersect` and `except`";
                    return self.refuse(place::of_set(set), reason);
                }
            };
            right.push((format!("{word}{all}"), last.as_ref()));
            set = left;
        }
        let mut sql = self.single(set)?;
        for (word, select) in right.into_iter().rev() {
            sql = format!("{sql} {word} {}", self.single(select)?);
        }
        Ok(sql)
    }

    fn single(&mut self, set: &SetExpr) -> Printed {
        match set {
            SetExpr::Select(select) => self.select(select),
            SetExpr::Query(_) | SetExpr::SetOperation { .. } => self.refuse(
                place::of_set(set),
                "brackets around a `select` of several: name it with `with`",
            ),
            _ => self.refuse(place::of_set(set), "only `select` is known here"),
        }
    }

    fn select(&mut self, select: &Select) -> Printed {
        let Select {
            select_token,
            optimizer_hints,
            distinct,
            select_modifiers,
            top,
            top_before_distinct: _,
            projection,
            exclude,
            into,
            from,
            lateral_views,
            prewhere,
            selection,
            connect_by,
            group_by,
            cluster_by,
            distribute_by,
            sort_by,
            having,
            named_window,
            qualify,
            window_before_qualify: _,
            value_table_mode,
            flavor,
        } = select;
        let span = select_token.0.span;
        if into.is_some() {
            return self.refuse(span, "`into` would make a table");
        }
        let has_foreign_parts = [
            !optimizer_hints.is_empty(),
            select_modifiers.is_some(),
            top.is_some(),
            exclude.is_some(),
            !lateral_views.is_empty(),
            prewhere.is_some(),
            !connect_by.is_empty(),
            !cluster_by.is_empty(),
            !distribute_by.is_empty(),
            !sort_by.is_empty(),
            !named_window.is_empty(),
            qualify.is_some(),
            value_table_mode.is_some(),
            !matches!(flavor, SelectFlavor::Standard),
        ];
        if has_foreign_parts.contains(&true) {
            return self.refuse(span, "a part of this `select` is not known here");
        }
        let mut sql = self.selected(distinct.as_ref(), projection, from, span)?;
        if let Some(selection) = selection {
            sql.push_str(&format!(" where {}", self.expression(selection)?));
        }
        match group_by {
            GroupByExpr::Expressions(expressions, modifiers) if modifiers.is_empty() => {
                if !expressions.is_empty() {
                    let expressions = self.each(expressions, Self::expression)?;
                    sql.push_str(&format!(" group by {}", expressions.join(", ")));
                }
            }
            _ => return self.refuse(span, "`group by` takes expressions only"),
        }
        if let Some(having) = having {
            sql.push_str(&format!(" having {}", self.expression(having)?));
        }
        Ok(sql)
    }

    fn selected(
        &mut self,
        distinct: Option<&Distinct>,
        projection: &[SelectItem],
        from: &[TableWithJoins],
        span: Span,
    ) -> Printed {
        let mut sql = String::from("select ");
        match distinct {
            None | Some(Distinct::All) => {}
            Some(Distinct::Distinct) => sql.push_str("distinct "),
            Some(Distinct::On(_)) => return self.refuse(span, "`distinct on` is not known here"),
        }
        if projection.is_empty() {
            return self.refuse(span, "it selects nothing");
        }
        // Tables first: what they are called is needed nowhere else so much.
        let tables = self.each(from, Self::table_with_joins)?;
        sql.push_str(&self.each(projection, Self::item)?.join(", "));
        if !tables.is_empty() {
            sql.push_str(&format!(" from {}", tables.join(" cross join ")));
        }
        Ok(sql)
    }

    pub fn each<T>(
        &mut self,
        all: &[T],
        print: fn(&mut Self, &T) -> Printed,
    ) -> Result<Vec<String>, QueryError> {
        all.iter().map(|it| print(self, it)).collect()
    }

    fn item(&mut self, item: &SelectItem) -> Printed {
        match item {
            SelectItem::Wildcard(options) => self.wildcard(options).map(|()| "*".to_owned()),
            SelectItem::QualifiedWildcard(kind, options) => {
                self.wildcard(options)?;
                let SelectItemQualifiedWildcardKind::ObjectName(name) = kind else {
                    return self.refuse(place::of_item(item), "only a table stands before `.*`");
                };
                let ident = self.one_part(name)?;
                Ok(format!("{}.*", self.qualifier(ident)?.0))
            }
            SelectItem::UnnamedExpr(expression) => {
                let name = match expression {
                    Expr::Identifier(ident) => ident.value.to_lowercase(),
                    Expr::CompoundIdentifier(parts) => {
                        parts.last().map(|it| it.value.to_lowercase()).unwrap_or_default()
                    }
                    Expr::Function(function) => function.name.to_string().to_lowercase(),
                    _ => String::new(),
                };
                let sql = self.expression(expression)?;
                if matches!(expression, Expr::Identifier(_) | Expr::CompoundIdentifier(_)) {
                    // A column keeps its name; that it is selected does not make it one.
                    return Ok(format!("{sql} as {name}"));
                }
                let name = match is_name(&name) {
                    true => name,
                    false => {
                        self.unnamed += 1;
                        format!("column_{}", self.unnamed)
                    }
                };
                self.learnt.columns.insert(name.clone());
                Ok(format!("{sql} as {name}"))
            }
            SelectItem::ExprWithAlias { expr, alias } => {
                let sql = self.expression(expr)?;
                let name = self.new_name(alias)?;
                self.learnt.columns.insert(name.clone());
                Ok(format!("{sql} as {name}"))
            }
            SelectItem::ExprWithAliases { .. } => {
                self.refuse(place::of_item(item), "a value has one name")
            }
        }
    }

    fn wildcard(&self, options: &WildcardAdditionalOptions) -> Result<(), QueryError> {
        let WildcardAdditionalOptions {
            wildcard_token,
            opt_ilike,
            opt_exclude,
            opt_except,
            opt_replace,
            opt_rename,
            opt_alias,
        } = options;
        let is_plain = opt_ilike.is_none()
            && opt_exclude.is_none()
            && opt_except.is_none()
            && opt_replace.is_none()
            && opt_rename.is_none()
            && opt_alias.is_none();
        match is_plain {
            true => Ok(()),
            false => self.refuse(wildcard_token.0.span, "`*` stands alone"),
        }
    }

    /// A name that the query gives.
    pub fn new_name(&self, ident: &Ident) -> Result<String, QueryError> {
        let word = ident.value.to_lowercase();
        match is_name(&word) {
            true => Ok(word),
            false => {
                let reason = format!(
                    "`{}` cannot be a name: letters, digits and `_`, and no word of SQL",
                    ident.value
                );
                self.refuse(ident.span, reason)
            }
        }
    }

    /// A column by its name alone.
    pub fn column(&self, ident: &Ident) -> Result<String, QueryError> {
        let word = ident.value.to_lowercase();
        let Some(known) = &self.known else { return Ok(word) };
        let columns = known.views.iter().filter_map(|it| views::view(it));
        let columns = columns.flat_map(|it| it.columns.iter().map(|it| it.name));
        let mut columns = columns.chain(known.columns.iter().map(String::as_str));
        match columns.clone().any(|it| it == word) {
            true => Ok(word),
            false => self.unknown(ident, "column", &mut columns),
        }
    }

    /// What stands before a dot, and the views that it may be.
    pub fn qualifier(
        &self,
        ident: &Ident,
    ) -> Result<(String, BTreeSet<Option<&'static str>>), QueryError> {
        let word = ident.value.to_lowercase();
        let Some(known) = &self.known else { return Ok((word, BTreeSet::new())) };
        match known.qualifiers.get(&word) {
            Some(views) => Ok((word, views.clone())),
            None => self.unknown(ident, "table", known.qualifiers.keys().map(String::as_str)),
        }
    }

    /// A column of a table.
    pub fn column_of(&self, table: &Ident, column: &Ident) -> Result<String, QueryError> {
        let (qualifier, views) = self.qualifier(table)?;
        if views.contains(&None) || views.is_empty() {
            return Ok(format!("{qualifier}.{}", self.column(column)?));
        }
        let word = column.value.to_lowercase();
        let views = views.iter().flatten().filter_map(|it| views::view(it));
        let columns = views.flat_map(|it| it.columns.iter().map(|it| it.name));
        match columns.clone().any(|it| it == word) {
            true => Ok(format!("{qualifier}.{word}")),
            false => self.unknown(column, "column", columns),
        }
    }

    pub fn order(&mut self, expressions: &[OrderByExpr]) -> Printed {
        let mut all = Vec::new();
        for order in expressions {
            let OrderByExpr { expr, options, with_fill } = order;
            let OrderByOptions { sort, nulls_first } = options;
            let way = match sort {
                None | Some(OrderBySort::Asc) => "",
                Some(OrderBySort::Desc) => " desc",
                Some(_) => {
                    return self.refuse(place::of_expression(expr), "known are `asc` and `desc`");
                }
            };
            if with_fill.is_some() {
                return self.refuse(place::of_expression(expr), "`with fill` is not known here");
            }
            // Engines differ in where rows without a value stand.
            let nulls = if *nulls_first == Some(true) { "first" } else { "last" };
            all.push(format!("{}{way} nulls {nulls}", self.expression(expr)?));
        }
        Ok(all.join(", "))
    }

    fn limit(
        &mut self,
        clause: Option<&LimitClause>,
        rows_max: Option<u64>,
        span: Span,
    ) -> Printed {
        let (limit, offset) = match clause {
            None => (None, None),
            Some(LimitClause::LimitOffset { limit, offset, limit_by }) if limit_by.is_empty() => {
                let limit = limit.as_ref().map(|it| self.number(it)).transpose()?;
                let offset = match offset {
                    Some(Offset { value, rows: _ }) => Some(self.number(value)?),
                    None => None,
                };
                (limit, offset)
            }
            Some(_) => return self.refuse(span, "write `limit 10 offset 20`"),
        };
        if offset.is_some() && limit.is_none() {
            return self.refuse(span, "`offset` needs a `limit`");
        }
        let limit = [limit, rows_max].into_iter().flatten().min();
        let limit = limit.map_or(String::new(), |it| format!(" limit {it}"));
        let offset = offset.map_or(String::new(), |it| format!(" offset {it}"));
        Ok(limit + &offset)
    }

    /// A whole number that stands there as such.
    pub fn number(&self, expression: &Expr) -> Result<u64, QueryError> {
        let number = match expression {
            Expr::Value(value) => match &value.value {
                Value::Number(digits, false) => digits.parse::<u32>().ok(),
                _ => None,
            },
            _ => None,
        };
        match number {
            Some(number) => Ok(u64::from(number)),
            None => {
                self.refuse(place::of_expression(expression), "a whole number has to stand here")
            }
        }
    }
}
