//! The small language that says which rows a counter counts.
//!
//! `column = 'text'`, `<>`, `in ('a', 'b')`, `is null`, `is not null`, a boolean column by itself, `not`, `and`, `or`
//! and parentheses. Nothing else: a predicate must depend on the row alone and mean the same on every call.

use super::{quote_ident, quote_literal};
use std::fmt::Write as _;

/// A parsed predicate over one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Predicate {
    /// A boolean column is true.
    IsTrue(String),
    /// A column is NULL (`true`) or is not (`false`).
    IsNull(String, bool),
    /// A column's text form is in the list (`true`) or is not NULL and not in it (`false`).
    In(String, Vec<String>, bool),
    /// Negation; NULL counts as false before it is negated.
    Not(Box<Predicate>),
    /// Both.
    And(Box<Predicate>, Box<Predicate>),
    /// Either.
    Or(Box<Predicate>, Box<Predicate>),
}

/// Why a text is no predicate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PredicateError {
    /// Something else was expected at that place.
    #[error("expected {expected} at character {at}")]
    Expected {
        /// What may stand there.
        expected: &'static str,
        /// Position in characters, from 1.
        at: usize,
    },
    /// A quoted text or name does not end.
    #[error("a quote opened at character {0} is not closed")]
    Unclosed(usize),
    /// Too many parentheses or `not`s inside each other.
    #[error("nested deeper than {MAX_DEPTH}")]
    TooDeep,
}

const MAX_DEPTH: usize = 32;

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Name(String),
    Text(String),
    Symbol(&'static str),
    Word(&'static str),
    End,
}

const WORDS: [&str; 8] = ["and", "or", "not", "is", "null", "in", "true", "false"];

fn tokens(text: &str) -> Result<Vec<(Token, usize)>, PredicateError> {
    let chars: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    let mut i = 0;
    while i < chars.len() {
        let at = i + 1;
        match chars[i] {
            c if c.is_whitespace() => i += 1,
            quote @ ('\'' | '"') => {
                let mut value = String::new();
                loop {
                    i += 1;
                    match chars.get(i) {
                        None => return Err(PredicateError::Unclosed(at)),
                        Some(c) if *c == quote && chars.get(i + 1) == Some(&quote) => {
                            value.push(quote);
                            i += 1;
                        }
                        Some(c) if *c == quote => break,
                        Some(c) => value.push(*c),
                    }
                }
                i += 1;
                let token = if quote == '"' {
                    Token::Name(value)
                } else {
                    Token::Text(value)
                };
                found.push((token, at));
            }
            '(' | ')' | ',' | '=' => {
                let symbol = ["(", ")", ",", "="]
                    .into_iter()
                    .find(|s| s.starts_with(chars[i]));
                found.push((Token::Symbol(symbol.unwrap_or("=")), at));
                i += 1;
            }
            '<' if chars.get(i + 1) == Some(&'>') => {
                found.push((Token::Symbol("<>"), at));
                i += 2;
            }
            c if c.is_ascii_alphabetic() || c == '_' => {
                let start = i;
                while chars
                    .get(i)
                    .is_some_and(|c| c.is_ascii_alphanumeric() || *c == '_')
                {
                    i += 1;
                }
                let name = chars[start..i]
                    .iter()
                    .collect::<String>()
                    .to_ascii_lowercase();
                let word = WORDS.into_iter().find(|word| *word == name);
                found.push((word.map_or(Token::Name(name), Token::Word), at));
            }
            c if c.is_ascii_digit() || c == '-' => {
                let start = i;
                i += 1;
                while chars
                    .get(i)
                    .is_some_and(|c| c.is_ascii_digit() || *c == '.')
                {
                    i += 1;
                }
                found.push((Token::Text(chars[start..i].iter().collect()), at));
            }
            _ => {
                return Err(PredicateError::Expected {
                    expected: "a column or a literal",
                    at,
                });
            }
        }
    }
    found.push((Token::End, chars.len() + 1));
    Ok(found)
}

struct Parser {
    tokens: Vec<(Token, usize)>,
    next: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> &Token {
        &self.tokens[self.next].0
    }

    fn take(&mut self) -> Token {
        let token = self.peek().clone();
        self.next = (self.next + 1).min(self.tokens.len() - 1);
        token
    }

    fn eat(&mut self, token: &Token) -> bool {
        let hit = self.peek() == token;
        if hit {
            self.take();
        }
        hit
    }

    fn expected<T>(&self, expected: &'static str) -> Result<T, PredicateError> {
        Err(PredicateError::Expected {
            expected,
            at: self.tokens[self.next].1,
        })
    }

    fn either(&mut self) -> Result<Predicate, PredicateError> {
        let mut left = self.both()?;
        while self.eat(&Token::Word("or")) {
            left = Predicate::Or(Box::new(left), Box::new(self.both()?));
        }
        Ok(left)
    }

    fn both(&mut self) -> Result<Predicate, PredicateError> {
        let mut left = self.unary()?;
        while self.eat(&Token::Word("and")) {
            left = Predicate::And(Box::new(left), Box::new(self.unary()?));
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Predicate, PredicateError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(PredicateError::TooDeep);
        }
        let found = if self.eat(&Token::Word("not")) {
            Predicate::Not(Box::new(self.unary()?))
        } else if self.eat(&Token::Symbol("(")) {
            let inner = self.either()?;
            if !self.eat(&Token::Symbol(")")) {
                return self.expected("a closing parenthesis");
            }
            inner
        } else {
            self.comparison()?
        };
        self.depth -= 1;
        Ok(found)
    }

    fn comparison(&mut self) -> Result<Predicate, PredicateError> {
        let Token::Name(column) = self.peek().clone() else {
            return self.expected("a column");
        };
        self.take();
        if self.eat(&Token::Symbol("=")) {
            return Ok(Predicate::In(column, vec![self.literal()?], true));
        }
        if self.eat(&Token::Symbol("<>")) {
            return Ok(Predicate::In(column, vec![self.literal()?], false));
        }
        if self.eat(&Token::Word("is")) {
            let positive = !self.eat(&Token::Word("not"));
            return match self.eat(&Token::Word("null")) {
                true => Ok(Predicate::IsNull(column, positive)),
                false => self.expected("null"),
            };
        }
        let positive = !self.eat(&Token::Word("not"));
        if self.eat(&Token::Word("in")) {
            return Ok(Predicate::In(column, self.list()?, positive));
        }
        if !positive {
            return self.expected("in");
        }
        Ok(Predicate::IsTrue(column))
    }

    fn list(&mut self) -> Result<Vec<String>, PredicateError> {
        if !self.eat(&Token::Symbol("(")) {
            return self.expected("an opening parenthesis");
        }
        let mut values = vec![self.literal()?];
        while self.eat(&Token::Symbol(",")) {
            values.push(self.literal()?);
        }
        match self.eat(&Token::Symbol(")")) {
            true => Ok(values),
            false => self.expected("a comma or a closing parenthesis"),
        }
    }

    fn literal(&mut self) -> Result<String, PredicateError> {
        match self.peek().clone() {
            Token::Text(value) => {
                self.take();
                Ok(value)
            }
            Token::Word(word @ ("true" | "false")) => {
                self.take();
                Ok(word.to_owned())
            }
            _ => self.expected("a literal"),
        }
    }
}

impl Predicate {
    /// Parses a predicate.
    ///
    /// # Errors
    /// Names the place and what may stand there.
    pub fn parse(text: &str) -> Result<Predicate, PredicateError> {
        let mut parser = Parser {
            tokens: tokens(text)?,
            next: 0,
            depth: 0,
        };
        let predicate = parser.either()?;
        match parser.peek() {
            Token::End => Ok(predicate),
            _ => parser.expected("and, or, or the end"),
        }
    }

    /// The columns it reads, in order of appearance, with repeats.
    pub fn columns(&self) -> Vec<&str> {
        match self {
            Self::IsTrue(column) | Self::IsNull(column, _) | Self::In(column, ..) => vec![column],
            Self::Not(inner) => inner.columns(),
            Self::And(a, b) | Self::Or(a, b) => [a.columns(), b.columns()].concat(),
        }
    }

    /// The SQL condition over the row called `row`. Literals are untyped, so Postgres compares in the column's type.
    pub fn to_sql(&self, row: &str) -> String {
        let column = |name: &str| format!("{row}.{}", quote_ident(name));
        match self {
            Self::IsTrue(name) => format!("({} is true)", column(name)),
            Self::IsNull(name, true) => format!("({} is null)", column(name)),
            Self::IsNull(name, false) => format!("({} is not null)", column(name)),
            Self::In(name, values, positive) => {
                let mut sql = format!("({}", column(name));
                let list = values
                    .iter()
                    .map(|v| quote_literal(v))
                    .collect::<Vec<_>>()
                    .join(", ");
                let not = if *positive { "" } else { " not" };
                let _ = write!(sql, "{not} in ({list}))");
                sql
            }
            Self::Not(inner) => format!("({} is not true)", inner.to_sql(row)),
            Self::And(a, b) => format!("({} and {})", a.to_sql(row), b.to_sql(row)),
            Self::Or(a, b) => format!("({} or {})", a.to_sql(row), b.to_sql(row)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sql(text: &str) -> String {
        Predicate::parse(text).unwrap().to_sql("r")
    }

    #[test]
    fn the_counters_of_s4() {
        assert_eq!(
            sql("contact_status = 'HOT'"),
            r#"(r."contact_status" in ('HOT'))"#
        );
        assert_eq!(sql("archived_at is null"), r#"(r."archived_at" is null)"#);
        assert_eq!(
            sql("not archived"),
            r#"((r."archived" is true) is not true)"#
        );
    }

    #[test]
    fn precedence_and_parentheses() {
        assert_eq!(sql("a or b and c"), sql("a or (b and c)"));
        assert_ne!(sql("a or b and c"), sql("(a or b) and c"));
        assert_eq!(sql("NOT a AND b"), sql("(not a) and b"));
    }

    #[test]
    fn literals_are_quoted() {
        assert_eq!(sql("a = 'it''s'"), r#"(r."a" in ('it''s'))"#);
        assert_eq!(sql(r"a = '\'"), r#"(r."a" in (E'\\'))"#);
        assert_eq!(
            sql(r#""A b" not in (1, -2, 'x')"#),
            r#"(r."A b" not in ('1', '-2', 'x'))"#
        );
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "a =",
            "a = b",
            "a > 1",
            "a like 'x'",
            "lower(a) = 'x'",
            "a = 'x' or",
            "(a",
            "a)",
            "a is true",
            "a = 'x",
            "a; drop table b",
            "now() is null",
            "a in ()",
            "a -- b",
            "random()",
        ] {
            assert!(Predicate::parse(text).is_err(), "{text}");
        }
        let deep = format!("{}a{}", "(".repeat(100), ")".repeat(100));
        assert_eq!(Predicate::parse(&deep), Err(PredicateError::TooDeep));
        let error = Predicate::parse("a is 7").unwrap_err();
        assert_eq!(error.to_string(), "expected null at character 6");
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,80}") {
            let _ = Predicate::parse(&text);
        }

        #[test]
        fn whatever_parses_keeps_its_literals_inside_quotes(value in "\\PC{0,20}") {
            let text = format!("a = '{}'", value.replace('\'', "''"));
            let parsed = Predicate::parse(&text).unwrap();
            prop_assert_eq!(parsed, Predicate::In("a".into(), vec![value], true));
        }
    }
}
