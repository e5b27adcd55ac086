//! Writes expressions anew: each in brackets, so that no engine reads another order into it.

use sqlparser::ast::{
    BinaryOperator, CaseWhen, CastKind, DataType, Expr, Ident, UnaryOperator, Value,
};
use sqlparser::tokenizer::Span;

use super::error::QueryError;
use super::guard::Target;
use super::place;
use super::print::{Printed, Printer};

impl Printer {
    pub fn expression(&mut self, expression: &Expr) -> Printed {
        self.deeper(place::of_expression(expression))?;
        let sql = self.any_expression(expression);
        self.back();
        sql
    }

    fn any_expression(&mut self, expression: &Expr) -> Printed {
        match expression {
            Expr::Identifier(ident) => self.column(ident),
            Expr::CompoundIdentifier(parts) => match parts.as_slice() {
                [table, column] => self.column_of(table, column),
                _ => self.refuse(
                    place::of_expression(expression),
                    "a column has its table before it, no more",
                ),
            },
            Expr::Value(value) => self.value(&value.value, value.span),
            Expr::Nested(inner) => self.expression(inner),
            Expr::UnaryOp { op, expr } => {
                let word = match op {
                    UnaryOperator::Not => "not ",
                    UnaryOperator::Minus => "- ",
                    UnaryOperator::Plus => "+ ",
                    other => {
                        return self.refuse(
                            place::of_expression(expr),
                            format!("`{other}` is not known here"),
                        );
                    }
                };
                Ok(format!("({word}{})", self.expression(expr)?))
            }
            Expr::BinaryOp { .. } => self.chain(expression),
            Expr::IsNull(..)
            | Expr::IsNotNull(..)
            | Expr::IsTrue(..)
            | Expr::IsNotTrue(..)
            | Expr::IsFalse(..)
            | Expr::IsNotFalse(..)
            | Expr::IsDistinctFrom(..)
            | Expr::IsNotDistinctFrom(..) => self.is(expression),
            Expr::InList { .. } | Expr::InSubquery { .. } | Expr::Between { .. } => {
                self.among(expression)
            }
            Expr::Like { negated, any: false, expr, pattern, escape_char } => {
                self.like([expr, pattern], escape_char.as_deref(), (*negated, false))
            }
            Expr::ILike { negated, any: false, expr, pattern, escape_char } => {
                self.like([expr, pattern], escape_char.as_deref(), (*negated, true))
            }
            other => self.further_expression(other),
        }
    }

    fn further_expression(&mut self, expression: &Expr) -> Printed {
        match expression {
            Expr::Exists { subquery, negated } => {
                let not = if *negated { "not " } else { "" };
                Ok(format!("({not}exists ({}))", self.query(subquery, None)?))
            }
            Expr::Subquery(query) => Ok(format!("({})", self.query(query, None)?)),
            Expr::Case { case_token: _, end_token: _, operand, conditions, else_result } => {
                self.case(operand.as_deref(), conditions, else_result.as_deref())
            }
            Expr::Cast {
                kind: CastKind::Cast | CastKind::DoubleColon,
                expr,
                data_type,
                format: None,
            } => self.cast(expr, data_type),
            Expr::Function(function) => self.function(function),
            Expr::Substring {
                expr,
                substring_from: Some(from),
                substring_for,
                special: _,
                shorthand: _,
            } => {
                let mut all = vec![self.expression(expr)?, self.expression(from)?];
                if let Some(length) = substring_for {
                    all.push(self.expression(length)?);
                }
                Ok(format!("substr({})", all.join(", ")))
            }
            Expr::Trim { trim_where: None, trim_what: None, expr, trim_characters: None } => {
                Ok(format!("trim({})", self.expression(expr)?))
            }
            Expr::Interval(_)
            | Expr::Extract { .. }
            | Expr::AtTimeZone { .. }
            | Expr::TypedString(_) => {
                let reason = "times are text: compare them with `now()`, `days_ago(30)`, `age_days(created)`";
                self.refuse(place::of_expression(expression), reason)
            }
            // Not written out: it may be long and deep.
            other => self.refuse(place::of_expression(other), "this expression is not known here"),
        }
    }

    fn value(&self, value: &Value, span: Span) -> Printed {
        match value {
            Value::Null => Ok("null".to_owned()),
            Value::Boolean(value) => Ok(value.to_string()),
            Value::Number(digits, false) => {
                let is_plain = digits.bytes().all(|it| it.is_ascii_digit() || it == b'.')
                    && digits.bytes().any(|it| it.is_ascii_digit())
                    && digits.len() <= 30;
                // One engine counts in tenths otherwise, the other in halves of halves.
                let is_decimal = digits.contains('.') && self.terms.target == Target::Postgres;
                match is_plain {
                    true if is_decimal => Ok(format!("cast({digits} as double precision)")),
                    true => Ok(digits.clone()),
                    false => self.refuse(span, format!("`{digits}` is no plain number")),
                }
            }
            Value::SingleQuotedString(text) => Ok(quoted(text)),
            Value::Placeholder(_) => {
                self.refuse(span, "write the value itself: there are no parameters")
            }
            _ => self.refuse(span, "text stands in single quotes, without a letter before them"),
        }
    }

    /// Operators of one kind in a row, written flat: there may be many.
    fn chain(&mut self, expression: &Expr) -> Printed {
        let Expr::BinaryOp { op: first, .. } = expression else { return Ok(String::new()) };
        let word = self.operator(first, place::of_expression(expression))?;
        let is_chain = matches!(word, "and" | "or" | "+" | "||" | "*");
        let (mut left_most, mut operands) = (expression, Vec::new());
        while let Expr::BinaryOp { left, op, right } = left_most
            && op == first
            && (is_chain || operands.is_empty())
        {
            operands.push(right.as_ref());
            left_most = left;
        }
        if word == "||" {
            self.grow(operands.len() + 1, place::of_expression(expression))?;
        }
        let mut sql = self.expression(left_most)?;
        for operand in operands.into_iter().rev() {
            let mut right = self.expression(operand)?;
            // One engine gives null, the other an error: both give null.
            if matches!(word, "/" | "%") && self.terms.target != Target::Plain {
                right = format!("nullif({right}, 0)");
            }
            sql = format!("{sql} {word} {right}");
        }
        Ok(format!("({sql})"))
    }

    fn operator(&self, operator: &BinaryOperator, span: Span) -> Result<&'static str, QueryError> {
        Ok(match operator {
            BinaryOperator::And => "and",
            BinaryOperator::Or => "or",
            BinaryOperator::Eq => "=",
            BinaryOperator::NotEq => "<>",
            BinaryOperator::Lt => "<",
            BinaryOperator::LtEq => "<=",
            BinaryOperator::Gt => ">",
            BinaryOperator::GtEq => ">=",
            BinaryOperator::Plus => "+",
            BinaryOperator::Minus => "-",
            BinaryOperator::Multiply => "*",
            BinaryOperator::Divide => "/",
            BinaryOperator::Modulo => "%",
            BinaryOperator::StringConcat => "||",
            other => return self.refuse(span, format!("the operator `{other}` is not known here")),
        })
    }

    fn is(&mut self, expression: &Expr) -> Printed {
        let (inner, words) = match expression {
            Expr::IsNull(inner) => (inner, "is null"),
            Expr::IsNotNull(inner) => (inner, "is not null"),
            Expr::IsTrue(inner) => (inner, "is true"),
            Expr::IsNotTrue(inner) => (inner, "is not true"),
            Expr::IsFalse(inner) => (inner, "is false"),
            Expr::IsNotFalse(inner) => (inner, "is not false"),
            Expr::IsDistinctFrom(left, right) => {
                let (left, right) = (self.expression(left)?, self.expression(right)?);
                return Ok(format!("({left} is distinct from {right})"));
            }
            Expr::IsNotDistinctFrom(left, right) => {
                let (left, right) = (self.expression(left)?, self.expression(right)?);
                return Ok(format!("({left} is not distinct from {right})"));
            }
            other => {
                return self.refuse(place::of_expression(other), "this test is not known here");
            }
        };
        Ok(format!("({} {words})", self.expression(inner)?))
    }

    fn among(&mut self, expression: &Expr) -> Printed {
        let not = |negated: &bool| if *negated { " not" } else { "" };
        match expression {
            Expr::InList { expr, list, negated } => {
                if list.is_empty() {
                    return self.refuse(place::of_expression(expr), "the list is empty");
                }
                let sql = self.expression(expr)?;
                let list = self.each(list, Self::expression)?;
                Ok(format!("({sql}{} in ({}))", not(negated), list.join(", ")))
            }
            Expr::InSubquery { expr, subquery, negated } => {
                let sql = self.expression(expr)?;
                Ok(format!("({sql}{} in ({}))", not(negated), self.query(subquery, None)?))
            }
            Expr::Between { expr, negated, low, high } => {
                let sql = self.expression(expr)?;
                let (low, high) = (self.expression(low)?, self.expression(high)?);
                Ok(format!("({sql}{} between {low} and {high})", not(negated)))
            }
            other => self.refuse(place::of_expression(other), "this test is not known here"),
        }
    }

    fn like(
        &mut self,
        [text, pattern]: [&Expr; 2],
        escape: Option<&Expr>,
        (negated, is_insensitive): (bool, bool),
    ) -> Printed {
        let escape = match escape {
            None => '\\',
            Some(expression) => match expression {
                Expr::Value(value) => match &value.value {
                    Value::SingleQuotedString(text) if text.chars().count() == 1 => {
                        text.chars().next().unwrap_or('\\')
                    }
                    _ => {
                        return self.refuse(
                            place::of_expression(expression),
                            "one letter stands after `escape`",
                        );
                    }
                },
                _ => {
                    return self.refuse(
                        place::of_expression(expression),
                        "one letter stands after `escape`",
                    );
                }
            },
        };
        let (mut text, mut pattern) = (self.expression(text)?, self.expression(pattern)?);
        let mut word = "like";
        match (is_insensitive, self.terms.target) {
            (true, Target::Plain) => word = "ilike",
            (true, _) => (text, pattern) = (format!("lower({text})"), format!("lower({pattern})")),
            (false, _) => {}
        }
        let not = if negated { "not " } else { "" };
        Ok(format!("({text} {not}{word} {pattern} escape {})", quoted(&escape.to_string())))
    }

    fn case(
        &mut self,
        operand: Option<&Expr>,
        conditions: &[CaseWhen],
        otherwise: Option<&Expr>,
    ) -> Printed {
        let mut sql = String::from("case");
        if let Some(operand) = operand {
            sql.push_str(&format!(" {}", self.expression(operand)?));
        }
        for CaseWhen { condition, result } in conditions {
            let (condition, result) = (self.expression(condition)?, self.expression(result)?);
            sql.push_str(&format!(" when {condition} then {result}"));
        }
        if let Some(otherwise) = otherwise {
            sql.push_str(&format!(" else {}", self.expression(otherwise)?));
        }
        Ok(format!("({sql} end)"))
    }

    fn cast(&mut self, inner: &Expr, data_type: &DataType) -> Printed {
        let word = match (data_type, self.terms.target) {
            (DataType::Text | DataType::Varchar(None), _) => "text",
            (DataType::Real | DataType::DoublePrecision | DataType::Float(_), Target::Postgres) => {
                "double precision"
            }
            (DataType::Real | DataType::DoublePrecision | DataType::Float(_), _) => "real",
            _ => {
                let reason =
                    "values are cast to `text` or `real` only; `round(x)` makes a number whole";
                return self.refuse(place::of_expression(inner), reason);
            }
        };
        Ok(format!("cast({} as {word})", self.expression(inner)?))
    }

    /// A column, its bare name, and the column `unobserved` beside it.
    pub fn observed_column(&self, expression: &Expr) -> Result<[String; 3], QueryError> {
        let beside = |ident: &Ident| Ident { value: "unobserved".into(), ..ident.clone() };
        match expression {
            Expr::Identifier(ident) => {
                let column = self.column(ident)?;
                Ok([column.clone(), column, self.column(&beside(ident))?])
            }
            Expr::CompoundIdentifier(parts) => match parts.as_slice() {
                [table, column] => Ok([
                    self.column_of(table, column)?,
                    self.column(column)?,
                    self.column_of(table, &beside(column))?,
                ]),
                _ => self.refuse(
                    place::of_expression(expression),
                    "a column of a view has to stand here",
                ),
            },
            other => {
                self.refuse(place::of_expression(other), "a column of a view has to stand here")
            }
        }
    }
}

/// Text as both engines read it: a quote is written twice, and a backslash is a backslash.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
