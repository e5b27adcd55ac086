//! Writes calls of functions anew: those of the list, Entente's own ones written out for each engine.

use sqlparser::ast::{
    DuplicateTreatment, Expr, Function as Call, FunctionArg, FunctionArgExpr, FunctionArgumentList,
    FunctionArguments, ObjectNamePart, Spanned, WindowFrame, WindowFrameBound, WindowFrameUnits,
    WindowSpec, WindowType,
};
use sqlparser::tokenizer::Span;
use time::{Duration, OffsetDateTime};

use super::error::{Position, QueryError};
use super::expression::quoted;
use super::guard::Target;
use super::place;
use super::print::{Printed, Printer};
use super::words::{FUNCTIONS, Function, Sort, function_of, nearest};

/// Bytes of a GiB, as a number that is not whole.
const GIB: &str = "cast(1073741824 as double precision)";

/// Furthest that a query may look back.
const DAYS_MAX: u64 = 36_500;

impl Printer {
    pub fn function(&mut self, call: &Call) -> Printed {
        let Call {
            name,
            uses_odbc_syntax,
            parameters,
            args,
            within_group,
            filter,
            null_treatment,
            over,
        } = call;
        let span = name.span();
        let function = self.known_function(call)?;
        let is_plain = !uses_odbc_syntax
            && matches!(parameters, FunctionArguments::None)
            && within_group.is_empty()
            && null_treatment.is_none();
        if !is_plain {
            return self.refuse(span, "a function has arguments, and nothing more");
        }
        let (expressions, star, distinct) = self.arguments(args, function, span)?;
        let is_aggregate = function.sort == Sort::Aggregate || function.name == "string_agg";
        if (star && function.name != "count")
            || (distinct && (function.sort != Sort::Aggregate || star))
        {
            let reason = format!("`{}` takes neither `*` nor `distinct`", function.name);
            return self.refuse(span, reason);
        }
        if filter.is_some() && !is_aggregate {
            return self.refuse(span, "only aggregates take a `filter`");
        }
        let can_over = matches!(function.sort, Sort::Aggregate | Sort::Window);
        match over {
            Some(_) if !can_over => return self.refuse(span, "this function has no window"),
            None if function.sort == Sort::Window => {
                return self.refuse(span, format!("`{}` needs `over (…)`", function.name));
            }
            _ => {}
        }
        let mut sql = match function.sort {
            Sort::Own => self.own(function.name, &expressions, span)?,
            _ => self.plain(function.name, &expressions, star, distinct)?,
        };
        if let Some(filter) = filter {
            sql.push_str(&format!(" filter (where {})", self.expression(filter)?));
        }
        if let Some(over) = over {
            sql.push_str(&format!(" over ({})", self.window(over, span)?));
        }
        Ok(sql)
    }

    fn known_function(&self, call: &Call) -> Result<&'static Function, QueryError> {
        let (word, position) = match call.name.0.as_slice() {
            [ObjectNamePart::Identifier(ident)] => {
                (ident.value.to_lowercase(), Position::of(ident.span))
            }
            _ => {
                let reason = format!("`{}` is in another schema", call.name);
                return self.refuse(call.name.span(), reason);
            }
        };
        let word = match word.as_str() {
            "group_concat" => "string_agg".to_owned(),
            "substring" => "substr".to_owned(),
            _ => word,
        };
        match function_of(&word) {
            Some(function) => Ok(function),
            None => {
                let near = match word.starts_with("current_") || word.starts_with("local") {
                    true => Some("now()".to_owned()),
                    false => nearest(&word, FUNCTIONS.iter().map(|it| it.name)),
                };
                Err(QueryError::Unknown { position, what: "function", word, near })
            }
        }
    }

    fn arguments<'c>(
        &self,
        arguments: &'c FunctionArguments,
        function: &Function,
        span: Span,
    ) -> Result<(Vec<&'c Expr>, bool, bool), QueryError> {
        let FunctionArguments::List(FunctionArgumentList { duplicate_treatment, args, clauses }) =
            arguments
        else {
            return self.refuse(span, format!("`{}` needs brackets", function.name));
        };
        if !clauses.is_empty() {
            return self.refuse(span, "a function has arguments, and nothing more");
        }
        let (mut expressions, mut star) = (Vec::new(), false);
        for argument in args {
            match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expression)) => {
                    expressions.push(expression)
                }
                FunctionArg::Unnamed(FunctionArgExpr::Wildcard) => star = true,
                _ => return self.refuse(span, "arguments have no names here"),
            }
        }
        let given = expressions.len() + usize::from(star);
        let (least, most) = function.arguments;
        if given < least || given > most {
            let wanted = match least == most {
                true => least.to_string(),
                false => format!("{least} to {most}"),
            };
            let reason = format!("`{}` takes {wanted} arguments, not {given}", function.name);
            return self.refuse(span, reason);
        }
        let distinct = matches!(duplicate_treatment, Some(DuplicateTreatment::Distinct));
        Ok((expressions, star, distinct))
    }

    fn plain(
        &mut self,
        name: &'static str,
        arguments: &[&Expr],
        star: bool,
        distinct: bool,
    ) -> Printed {
        let mut all = Vec::new();
        for argument in arguments {
            all.push(self.expression(argument)?);
        }
        if star {
            all.push("*".to_owned());
        }
        let name = match (name, self.terms.target) {
            ("instr", Target::Postgres) => "strpos",
            _ => name,
        };
        let distinct = if distinct { "distinct " } else { "" };
        Ok(format!("{name}({distinct}{})", all.join(", ")))
    }

    fn own(&mut self, name: &'static str, arguments: &[&Expr], span: Span) -> Printed {
        let mut all = Vec::new();
        for argument in arguments {
            all.push(self.expression(argument)?);
        }
        let (first, second) = (arguments.first(), arguments.get(1));
        let first_sql = all.first().cloned().unwrap_or_default();
        let engine = self.terms.target;
        let is_plain = engine == Target::Plain;
        let sql = match (name, first, second) {
            ("now", ..) => quoted(&moment(self.terms.now)),
            ("days_ago", Some(days), _) => self.ago(days, 24)?,
            ("hours_ago", Some(hours), _) => self.ago(hours, 1)?,
            ("age_days", ..) => age_days(engine, &moment(self.terms.now), &first_sql),
            ("gib", ..) => rounded(engine, &format!("({first_sql} / {GIB})"), Some(1)),
            ("round", _, None) => rounded(engine, &first_sql, None),
            ("round", _, Some(digits)) => rounded(engine, &first_sql, Some(self.number(digits)?)),
            ("string_agg", _, Some(between)) => {
                self.text(between)?;
                // Written twice for one of the engines.
                self.grow(2, span)?;
                let between = all.get(1).cloned().unwrap_or_default();
                match engine {
                    Target::Postgres => format!(
                        "string_agg(cast({first_sql} as text), {between} order by cast({first_sql} as text) collate \"C\")"
                    ),
                    _ => format!(
                        "group_concat({first_sql}, {between} order by cast({first_sql} as text))"
                    ),
                }
            }
            ("is_unobserved" | "is_absent" | "why", Some(column), _) => {
                let parts = self.observed_column(column)?;
                reasons(name, engine, &parts)
            }
            _ => return self.refuse(span, format!("`{name}` is not known here")),
        };
        match is_plain {
            true => Ok(format!("{name}({})", all.join(", "))),
            false => Ok(sql),
        }
    }

    /// A text that stands there as such.
    fn text(&self, expression: &Expr) -> Result<(), QueryError> {
        match expression {
            Expr::Value(value)
                if matches!(&value.value, sqlparser::ast::Value::SingleQuotedString(_)) =>
            {
                Ok(())
            }
            other => self
                .refuse(place::of_expression(other), "a text in single quotes has to stand here"),
        }
    }

    fn ago(&self, number: &Expr, hours: u64) -> Printed {
        let count = self.number(number)?;
        if count * hours > DAYS_MAX * 24 {
            return self.refuse(
                place::of_expression(number),
                format!("that is more than {DAYS_MAX} days"),
            );
        }
        let hours = i64::try_from(count * hours).unwrap_or_default();
        let then = self.terms.now.checked_sub(Duration::hours(hours));
        Ok(quoted(&moment(then.unwrap_or(OffsetDateTime::UNIX_EPOCH))))
    }

    fn window(&mut self, window: &WindowType, span: Span) -> Printed {
        let WindowType::WindowSpec(WindowSpec {
            window_name: None,
            partition_by,
            order_by,
            window_frame,
        }) = window
        else {
            return self.refuse(span, "windows have no names here");
        };
        let mut parts = Vec::new();
        if !partition_by.is_empty() {
            let all = self.each(partition_by, Self::expression)?;
            parts.push(format!("partition by {}", all.join(", ")));
        }
        if !order_by.is_empty() {
            parts.push(format!("order by {}", self.order(order_by)?));
        }
        if let Some(WindowFrame { units, start_bound, end_bound }) = window_frame {
            if !matches!(units, WindowFrameUnits::Rows) {
                return self.refuse(span, "a window's frame is counted in `rows`");
            }
            let start = self.bound(start_bound)?;
            parts.push(match end_bound {
                Some(end) => format!("rows between {start} and {}", self.bound(end)?),
                None => format!("rows {start}"),
            });
        }
        Ok(parts.join(" "))
    }

    fn bound(&self, bound: &WindowFrameBound) -> Printed {
        let rows = |number: &Option<Box<Expr>>| match number {
            Some(number) => self.number(number).map(|it| it.to_string()),
            None => Ok("unbounded".to_owned()),
        };
        Ok(match bound {
            WindowFrameBound::CurrentRow => "current row".to_owned(),
            WindowFrameBound::Preceding(number) => format!("{} preceding", rows(number)?),
            WindowFrameBound::Following(number) => format!("{} following", rows(number)?),
        })
    }
}

/// A time as rows have it.
fn moment(at: OffsetDateTime) -> String {
    entente_model::Moment::Utc(at).to_string()
}

fn age_days(engine: Target, now: &str, time: &str) -> String {
    match engine {
        Target::Postgres => format!(
            "cast(trunc(extract(epoch from (cast('{now}' as timestamp) - cast({time} as timestamp))) / 86400) as bigint)"
        ),
        _ => format!("((unixepoch('{now}') - unixepoch({time})) / 86400)"),
    }
}

fn rounded(engine: Target, number: &str, digits: Option<u64>) -> String {
    let digits = digits.map_or(String::new(), |it| format!(", {it}"));
    match engine {
        Target::Postgres => {
            format!("cast(round(cast({number} as numeric){digits}) as double precision)")
        }
        _ => format!("round({number}{digits})"),
    }
}

/// What the column `unobserved` says of another.
fn reasons(name: &str, engine: Target, [column, word, pairs]: &[String; 3]) -> String {
    let position = if engine == Target::Postgres { "strpos" } else { "instr" };
    let at = format!("{position}({pairs}, ' {word}=')");
    match name {
        "is_unobserved" => format!("({at} > 0)"),
        "is_absent" => format!("({column} is null and {at} = 0)"),
        _ => {
            let from = format!("substr({pairs}, {at} + {})", word.len() + 2);
            format!("(case when {at} > 0 then substr({from}, 1, {position}({from}, ' ') - 1) end)")
        }
    }
}
