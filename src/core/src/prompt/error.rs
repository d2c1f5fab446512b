//! What can be wrong with a prompt. Every message names the place and the rule; the texts themselves are quoted only
//! as far as an author needs to find the place.

/// Why a prompt does not compile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PromptError {
    /// An argument is longer than its limit.
    #[error("{argument} is too large: it may have at most {limit} bytes")]
    TooLarge {
        /// `structure`, `lessons` or `options`.
        argument: &'static str,
        /// The most it may be.
        limit: usize,
    },
    /// An argument is not JSON.
    #[error("{argument} is not JSON: {detail}")]
    Json {
        /// `structure`, `lessons` or `options`.
        argument: &'static str,
        /// The parser's words, with line and column.
        detail: String,
    },
    /// A value has the wrong type or form, a key is missing or unknown.
    #[error("{path}: {rule}")]
    Shape {
        /// Such as `structure.goal.content` or `lessons[3].priority`.
        path: String,
        /// What is expected there.
        rule: String,
    },
    /// A text is not a valid template.
    #[error("{path}, line {line}: {detail}")]
    Template {
        /// Such as `structure.goal.content`.
        path: String,
        /// Line within that text, from 1.
        line: usize,
        /// The template engine's words.
        detail: String,
    },
    /// Texts use variables that the catalogue does not declare.
    #[error("undeclared variables: {}", list(.0))]
    UndeclaredVariables(
        /// Variable and the path of the first text that uses it, in order of the variables' names.
        Vec<(String, String)>,
    ),
    /// Too long even with every lesson left out that may be.
    #[error(
        "the prompt needs {tokens} tokens without any lesson that may be left out; options.token_budget is {budget}"
    )]
    OverBudget {
        /// Estimated tokens of what must stay.
        tokens: i32,
        /// The budget.
        budget: i32,
    },
}

fn list(undeclared: &[(String, String)]) -> String {
    undeclared
        .iter()
        .map(|(name, path)| format!("{name} (in {path})"))
        .collect::<Vec<_>>()
        .join(", ")
}
