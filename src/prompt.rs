//! SQL surface of prompt compilation.

use crate::pg::error::{self, ErrorReport};
use crate::pg::json::{Json, JsonText};
use pgrx::iter::TableIterator;
use pgrx::{name, pg_extern};
use switchboard_core::prompt;

/// Compiles a prompt: structure `{section: {content, source, why}}`, lessons `[{id, lesson_type, …}]`, options
/// `{token_budget, draft, variables}` → text, its sha256 (hex), spans (who wrote which bytes), token estimate,
/// dropped lessons, warnings. Same input, same bytes.
///
/// # Errors
/// 22023 naming the JSON path and the rule, also when the prompt does not fit its token budget.
#[pg_extern(immutable, parallel_safe, strict)]
#[allow(clippy::type_complexity)] // the row type is the SQL signature
fn compile_prompt(
    structure: Json,
    lessons: Json,
    options: Json,
) -> Result<
    TableIterator<
        'static,
        (
            name!(compiled, String),
            name!(sha256, String),
            name!(spans, JsonText),
            name!(token_estimate, i32),
            name!(dropped, JsonText),
            name!(warnings, JsonText),
        ),
    >,
    ErrorReport,
> {
    let structure = text(&structure, "structure", prompt::MAX_STRUCTURE_BYTES)?;
    let lessons = text(&lessons, "lessons", prompt::MAX_LESSONS_BYTES)?;
    let options = text(&options, "options", prompt::MAX_OPTIONS_BYTES)?;
    let prompt =
        prompt::compile(&structure.0, &lessons.0, &options.0).map_err(error::invalid_argument)?;
    let (spans, dropped, warnings) = (
        prompt.spans_json(),
        prompt.dropped_json(),
        prompt.warnings_json(),
    );
    Ok(TableIterator::once((
        prompt.text,
        prompt.sha256,
        JsonText::new(spans),
        prompt.token_estimate,
        JsonText::new(dropped),
        JsonText::new(warnings),
    )))
}

/// The core asks for the length of a text; here it is asked before there is one.
fn text(argument: &Json, name: &'static str, limit: usize) -> Result<JsonText, ErrorReport> {
    argument.text(limit).ok_or_else(|| {
        error::invalid_argument(prompt::PromptError::TooLarge {
            argument: name,
            limit,
        })
    })
}

#[cfg(any(test, feature = "pg_test"))]
#[pgrx::pg_schema]
#[allow(clippy::disallowed_methods)] // tests may write
mod tests {
    use pgrx::prelude::*;

    #[pg_test]
    fn the_hash_is_the_hash_of_the_text() {
        let same = Spi::get_one::<bool>(
            "select sha256 = encode(sha256(convert_to(compiled, 'UTF8')), 'hex')
                 and (spans -> -1 ->> 'end')::int = octet_length(compiled)
             from switchboard.compile_prompt('{\"goal\": {\"content\": \"Grüß Gott\"}}', '[]', '{}')",
        );
        assert_eq!(same, Ok(Some(true)));
    }

    #[pg_test(
        error = "options: \"token_budgets\" is no key of it; allowed are token_budget, draft, variables"
    )]
    fn an_unknown_option_is_named() {
        Spi::run("select switchboard.compile_prompt('{}', '[]', '{\"token_budgets\": 1}')")
            .unwrap();
    }
}
