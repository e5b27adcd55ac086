//! Where a part of a query stands: of a long chain, its beginning. Not by recursion: chains may be long.

use sqlparser::ast::{
    Expr, Query, SelectItem, SelectItemQualifiedWildcardKind, SetExpr, Spanned, TableFactor,
};
use sqlparser::tokenizer::Span;

/// Where an expression begins, as far as its first word tells.
pub(super) fn of_expression(expression: &Expr) -> Span {
    let mut expression = expression;
    loop {
        expression = match expression {
            Expr::Identifier(ident) => return ident.span,
            Expr::CompoundIdentifier(parts) => {
                return parts.first().map_or(Span::empty(), |it| it.span);
            }
            Expr::Value(value) => return value.span,
            Expr::Function(call) => return call.name.span(),
            Expr::Case { case_token, .. } => return case_token.0.span,
            Expr::Subquery(query) | Expr::Exists { subquery: query, .. } => return of_query(query),
            Expr::Tuple(all) | Expr::Array(sqlparser::ast::Array { elem: all, .. }) => {
                match all.first() {
                    Some(first) => first,
                    None => return Span::empty(),
                }
            }
            Expr::Nested(inner)
            | Expr::IsNull(inner)
            | Expr::IsNotNull(inner)
            | Expr::IsTrue(inner)
            | Expr::IsNotTrue(inner)
            | Expr::IsFalse(inner)
            | Expr::IsNotFalse(inner)
            | Expr::IsDistinctFrom(inner, _)
            | Expr::IsNotDistinctFrom(inner, _)
            | Expr::InList { expr: inner, .. }
            | Expr::InSubquery { expr: inner, .. }
            | Expr::Between { expr: inner, .. }
            | Expr::BinaryOp { left: inner, .. }
            | Expr::AnyOp { left: inner, .. }
            | Expr::AllOp { left: inner, .. }
            | Expr::Like { expr: inner, .. }
            | Expr::ILike { expr: inner, .. }
            | Expr::SimilarTo { expr: inner, .. }
            | Expr::RLike { expr: inner, .. }
            | Expr::UnaryOp { expr: inner, .. }
            | Expr::Cast { expr: inner, .. }
            | Expr::Extract { expr: inner, .. }
            | Expr::Collate { expr: inner, .. }
            | Expr::AtTimeZone { timestamp: inner, .. }
            | Expr::Substring { expr: inner, .. }
            | Expr::Trim { expr: inner, .. }
            | Expr::CompoundFieldAccess { root: inner, .. } => inner,
            _ => return Span::empty(),
        };
    }
}

/// Where a query begins.
pub(super) fn of_query(query: &Query) -> Span {
    of_set(&query.body)
}

/// Where a `select`, or the first of several, begins.
pub(super) fn of_set(set: &SetExpr) -> Span {
    let mut set = set;
    loop {
        set = match set {
            SetExpr::Select(select) => return select.select_token.0.span,
            SetExpr::SetOperation { left, .. } => left,
            SetExpr::Query(query) => &query.body,
            _ => return Span::empty(),
        };
    }
}

/// Where a table begins.
pub(super) fn of_table(table: &TableFactor) -> Span {
    let mut table = table;
    loop {
        table = match table {
            TableFactor::Table { name, .. } | TableFactor::Function { name, .. } => {
                return name.span();
            }
            TableFactor::Derived { subquery, .. } => return of_query(subquery),
            TableFactor::TableFunction { expr, .. } => return of_expression(expr),
            TableFactor::NestedJoin { table_with_joins, .. } => &table_with_joins.relation,
            _ => return Span::empty(),
        };
    }
}

/// Where something that is selected begins.
pub(super) fn of_item(item: &SelectItem) -> Span {
    match item {
        SelectItem::UnnamedExpr(expr)
        | SelectItem::ExprWithAlias { expr, .. }
        | SelectItem::ExprWithAliases { expr, .. }
        | SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::Expr(expr), _) => {
            of_expression(expr)
        }
        SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) => {
            name.span()
        }
        SelectItem::Wildcard(options) => options.wildcard_token.0.span,
    }
}
