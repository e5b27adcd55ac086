//! A light pass over an expression before it is parsed: its tokens, the mistakes that are easier to
//! explain here than by a grammar, and the limits that keep the parser's recursion within any
//! thread's stack.

use crate::diagnostic::{Diagnostic, Span};

/// Longest expression, in bytes: a long check has 500, a hostile one no end.
pub const SOURCE_BYTES_MAX: usize = 16 * 1024;

/// Deepest nesting of brackets and conditionals: the parser needs about 10 KiB of stack for each.
pub const NESTING_MAX: usize = 32;

/// Most operators in a row (`a.b.c`, `a + b + c`) from the outermost to the innermost level, as each
/// is one more level of the syntax tree. `&&` and `||` do not count.
pub const CHAIN_MAX: usize = 256;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Name,
    Number,
    Quoted,
    Symbol,
}

/// One token: a stretch of the source.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    pub kind: Kind,
    pub span: Span,
}

/// The tokens of `source`, or why it cannot be parsed.
pub(crate) fn scan(source: &[char]) -> Result<Vec<Token>, Diagnostic> {
    let bytes: usize = source.iter().map(|c| c.len_utf8()).sum();
    if bytes > SOURCE_BYTES_MAX {
        let message =
            format!("the expression is {bytes} bytes long; the limit is {SOURCE_BYTES_MAX} bytes");
        return Err(Span { start: 0, length: 1 }.diagnostic(source, message));
    }
    let mut scanner = Scanner { source, at: 0 };
    let mut tokens = Vec::new();
    while let Some(token) = scanner.next_token()? {
        tokens.push(token);
    }
    if tokens.is_empty() {
        let empty = Span { start: 0, length: 1 };
        return Err(empty.diagnostic(source, "the expression is empty"));
    }
    Levels::check(source, &tokens)?;
    Ok(tokens)
}

struct Scanner<'s> {
    source: &'s [char],
    at: usize,
}

impl Scanner<'_> {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.source.get(self.at + ahead).copied()
    }

    fn skip_while(&mut self, accept: impl Fn(char) -> bool) {
        while self.peek(0).is_some_and(&accept) {
            self.at += 1;
        }
    }

    fn span_from(&self, start: usize) -> Span {
        Span { start, length: self.at - start }
    }

    fn next_token(&mut self) -> Result<Option<Token>, Diagnostic> {
        loop {
            self.skip_while(|c| matches!(c, ' ' | '\t' | '\r' | '\n' | '\u{c}'));
            if (self.peek(0), self.peek(1)) != (Some('/'), Some('/')) {
                break;
            }
            self.skip_while(|c| c != '\n');
        }
        let start = self.at;
        let Some(first) = self.peek(0) else { return Ok(None) };
        let kind = match first {
            '"' | '\'' => self.quoted(start)?,
            'a'..='z' | 'A'..='Z' | '_' => self.name_or_prefixed_quote(start)?,
            '0'..='9' => self.number(),
            '.' if self.peek(1).is_some_and(|c| c.is_ascii_digit()) => self.number(),
            _ => self.symbol(first)?,
        };
        Ok(Some(Token { kind, span: self.span_from(start) }))
    }

    fn name_or_prefixed_quote(&mut self, start: usize) -> Result<Kind, Diagnostic> {
        self.skip_while(|c| c.is_ascii_alphanumeric() || c == '_');
        let word: String = self.source.get(start..self.at).unwrap_or_default().iter().collect();
        let quote_follows = matches!(self.peek(0), Some('"' | '\''));
        match word.to_ascii_lowercase().as_str() {
            "r" | "b" | "br" if quote_follows => self.quoted(start),
            _ => Ok(Kind::Name),
        }
    }

    fn number(&mut self) -> Kind {
        let mut last = ' ';
        while let Some(c) = self.peek(0) {
            let sign_of_exponent = matches!(c, '+' | '-') && matches!(last, 'e' | 'E');
            let point = c == '.' && self.peek(1).is_some_and(|c| c.is_ascii_digit());
            if !(c.is_ascii_alphanumeric() || sign_of_exponent || point) {
                break;
            }
            last = c;
            self.at += 1;
        }
        Kind::Number
    }

    /// Text in quotes, single or triple; `start` is where its prefix begins.
    fn quoted(&mut self, start: usize) -> Result<Kind, Diagnostic> {
        let prefix = self.source.get(start..self.at).unwrap_or_default();
        let raw = prefix.iter().any(|c| matches!(c, 'r' | 'R'));
        let Some(quote) = self.peek(0) else { return Ok(Kind::Quoted) };
        let triple = self.peek(1) == Some(quote) && self.peek(2) == Some(quote);
        self.at += if triple { 3 } else { 1 };
        while let Some(c) = self.peek(0) {
            if c == '\n' && !triple {
                break;
            }
            if c == '\\' && !raw {
                self.escape()?;
            } else if c != quote {
                self.at += 1;
            } else if !triple {
                self.at += 1;
                return Ok(Kind::Quoted);
            } else if self.peek(1) == Some(quote) && self.peek(2) == Some(quote) {
                self.at += 3;
                return Ok(Kind::Quoted);
            } else {
                self.at += 1;
            }
        }
        Err(self.span_from(start).diagnostic(self.source, "the text is never closed by a quote"))
    }

    fn escape(&mut self) -> Result<(), Diagnostic> {
        let start = self.at;
        self.at += 1;
        let Some(c) = self.peek(0) else { return Ok(()) };
        self.at += 1;
        if matches!(c, 'a' | 'b' | 'f' | 'n' | 'r' | 't' | 'v' | 'x' | 'X' | 'u' | 'U')
            || matches!(c, '\\' | '?' | '"' | '\'' | '`' | '0'..='3')
        {
            return Ok(());
        }
        Err(self
            .span_from(start)
            .diagnostic(self.source, format!("unknown escape `\\{}`", c.escape_debug()))
            .hint(Some("double the backslash, or put r before the quote: r\"\\d+\"".to_owned())))
    }

    fn symbol(&mut self, first: char) -> Result<Kind, Diagnostic> {
        let start = self.at;
        let second = self.peek(1);
        let length = match (first, second) {
            ('=' | '!' | '<' | '>', Some('=')) | ('&', Some('&')) | ('|', Some('|')) => 2,
            ('!' | '<' | '>' | '.' | ',' | '+' | '-' | '*' | '/' | '%' | '?' | ':', _)
            | ('(' | ')' | '[' | ']' | '{' | '}', _) => 1,
            _ => 0,
        };
        self.at += length.max(1);
        if length > 0 {
            return Ok(Kind::Symbol);
        }
        let hint = match first {
            '=' => Some("equality is `==`"),
            '&' => Some("and is `&&`"),
            '|' => Some("or is `||`"),
            '“' | '”' | '„' | '‘' | '’' => {
                Some("text is written in straight quotes: \"on\"")
            }
            ';' => Some("an expression has no `;`"),
            '#' => Some("a comment begins with `//`"),
            _ => None,
        };
        Err(self
            .span_from(start)
            .diagnostic(self.source, format!("unexpected `{}`", first.escape_debug()))
            .hint(hint.map(str::to_owned)))
    }
}

/// One open bracket.
struct Level {
    open: Option<(char, Span)>,
    conditionals: usize,
    chain: usize,
}

/// Brackets that match, within the limits.
struct Levels<'s> {
    source: &'s [char],
    open: Vec<Level>,
}

impl<'s> Levels<'s> {
    fn check(source: &'s [char], tokens: &[Token]) -> Result<(), Diagnostic> {
        let outermost = Level { open: None, conditionals: 0, chain: 0 };
        let mut levels = Self { source, open: vec![outermost] };
        for token in tokens {
            levels.token(token)?;
        }
        match levels.open.last().and_then(|level| level.open) {
            Some((bracket, span)) => {
                Err(span.diagnostic(source, format!("`{bracket}` is never closed")))
            }
            None => Ok(()),
        }
    }

    fn token(&mut self, token: &Token) -> Result<(), Diagnostic> {
        let text = self.source.get(token.span.start..).unwrap_or_default();
        let text = text.get(..token.span.length).unwrap_or_default();
        match (token.kind, text) {
            (Kind::Symbol, [bracket @ ('(' | '[' | '{')]) => {
                self.chain(if *bracket == '[' { 1 } else { 0 });
                let open = Some((*bracket, token.span));
                self.open.push(Level { open, conditionals: 0, chain: 0 });
            }
            (Kind::Symbol, [bracket @ (')' | ']' | '}')]) => self.close(*bracket, token.span)?,
            (Kind::Symbol, ['?']) => {
                if let Some(level) = self.open.last_mut() {
                    level.conditionals += 1;
                    level.chain = 0;
                }
            }
            (Kind::Symbol, [':' | ','] | ['&', '&'] | ['|', '|']) => {
                if let Some(level) = self.open.last_mut() {
                    level.chain = 0;
                }
            }
            (Kind::Symbol, _) | (Kind::Name, ['i', 'n']) => self.chain(1),
            (Kind::Name | Kind::Number | Kind::Quoted, _) => {}
        }
        self.within_limits(token.span)
    }

    fn chain(&mut self, more: usize) {
        if let Some(level) = self.open.last_mut() {
            level.chain += more;
        }
    }

    fn close(&mut self, bracket: char, span: Span) -> Result<(), Diagnostic> {
        let wanted = match self.open.last().and_then(|level| level.open) {
            Some(('(', _)) => ')',
            Some(('[', _)) => ']',
            Some(_) => '}',
            None => {
                return Err(span.diagnostic(self.source, format!("`{bracket}` closes nothing")));
            }
        };
        if bracket != wanted {
            let message = format!("`{bracket}` closes nothing here; `{wanted}` is expected");
            return Err(span.diagnostic(self.source, message));
        }
        self.open.pop();
        Ok(())
    }

    fn within_limits(&self, span: Span) -> Result<(), Diagnostic> {
        let brackets = self.open.len() - 1;
        let nesting = brackets + self.open.iter().map(|level| level.conditionals).sum::<usize>();
        if nesting > NESTING_MAX {
            let message = format!("nested more than {NESTING_MAX} levels deep");
            return Err(span.diagnostic(self.source, message));
        }
        if self.open.iter().map(|level| level.chain).sum::<usize>() > CHAIN_MAX {
            let message = format!("more than {CHAIN_MAX} operators in a row");
            return Err(span.diagnostic(self.source, message));
        }
        Ok(())
    }
}
