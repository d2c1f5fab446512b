//! Prompt compilation: the sections of a prompt and the lessons an organization has taught, as one text.
//!
//! Pure: no clock, no random, no settings. The same three JSON texts give the same bytes and the same hash on every
//! server, so a published version can be verified years later. Variables (`{{ lead.first_name }}`) are checked here
//! and rendered per lead at sending time, never at compile time. Called by `switchboard.compile_prompt`.

mod assemble;
mod error;
mod instant;
mod section;
mod shape;
mod tag;
mod text;
mod variable;

use serde::Serialize;
use sha2::{Digest, Sha256};

pub use error::PromptError;
pub use section::{LessonType, SAFETY};
pub use shape::{MAX_LESSONS_BYTES, MAX_OPTIONS_BYTES, MAX_STRUCTURE_BYTES};
pub use text::Span;
pub use variable::DEFAULT_CATALOGUE;

/// A compiled prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiled {
    /// NFC, LF line ends, one newline at the end. Still a template: variables are in it as written.
    pub text: String,
    /// SHA-256 of the bytes of `text`, in lower-case hexadecimal.
    pub sha256: String,
    /// Where each part is from. In order, without gaps or overlaps, from 0 to the length of `text` in bytes.
    pub spans: Vec<Span>,
    /// Bytes divided by four, rounded up: an estimate that needs no model's tokenizer.
    pub token_estimate: i32,
    /// Lessons left out to fit the budget, in the order in which they were given up.
    pub dropped: Vec<Dropped>,
    /// What an author should look at. Nothing in it stops the prompt from working.
    pub warnings: Vec<Warning>,
}

impl Compiled {
    /// `spans` as a JSON array of {start, end, section, source, lesson_id?, why?}.
    pub fn spans_json(&self) -> String {
        json(&self.spans)
    }

    /// `dropped` as a JSON array of {lesson_id, lesson_type, section}.
    pub fn dropped_json(&self) -> String {
        json(&self.dropped)
    }

    /// `warnings` as a JSON array of {code, path, message}.
    pub fn warnings_json(&self) -> String {
        json(&self.warnings)
    }
}

fn json<T: Serialize>(list: &[T]) -> String {
    serde_json::to_string(list).expect("strings and numbers under string keys are always JSON")
}

/// A lesson left out because the budget was short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dropped {
    /// The lesson's id as given.
    pub lesson_id: String,
    /// Its type.
    pub lesson_type: LessonType,
    /// The section it would have been in.
    pub section: &'static str,
}

/// Something an author should look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// `lessons_dropped`, `empty_lesson` or `empty_prompt`.
    pub code: &'static str,
    /// Path in the arguments, such as `lessons[3]`.
    pub path: String,
    /// For people.
    pub message: String,
}

/// Compiles a prompt from JSON texts.
///
/// - `structure`: object of sections, each `{content, source?, why?}`. The known ones are `context`, `goal`, `tone`,
///   `knowledge`, `objections`, `examples`, `boundaries`; any other key of the form `[a-z][a-z0-9_]*` (at most 63
///   characters, not `safety` or `system`) is a custom section and may add `title` and `position` (integer).
/// - `lessons`: array of `{id, lesson_type, status, title?, description?, trigger?, correct_response?,
///   incorrect_response?, reasoning?, priority?, created_at?}`. Active ones are compiled, testing ones in drafts.
/// - `options`: `{token_budget?: 4000, draft?: false, variables?: [path or "prefix.*"]}`.
///
/// Order: context, goal, tone, knowledge, objections, custom sections (by position, those without one last, then by
/// key), examples, boundaries, and the [`SAFETY`] text that no structure can change. Empty sections are left out with
/// their heading. Lessons follow their section's content: highest priority first, then oldest, then by id.
///
/// A prompt over its budget loses example lessons first, then best practices, then objections, least important
/// first. Boundaries, tone and the sections' own content are never given up.
///
/// # Errors
/// [`PromptError`], which names the path in the arguments and the rule.
pub fn compile(structure: &str, lessons: &str, options: &str) -> Result<Compiled, PromptError> {
    let options = shape::options(options)?;
    let sections = shape::structure(structure)?;
    let (lessons, mut warnings) = shape::lessons(lessons, options.draft)?;
    variable::check(&sections, &lessons, &options.variables)?;
    if sections.iter().all(|section| section.content.is_empty()) {
        warnings.push(Warning {
            code: "empty_prompt",
            path: "structure".to_owned(),
            message: "no section has content".to_owned(),
        });
    }

    let (page, dropped) = assemble::within_budget(&sections, &lessons, options.token_budget)?;
    if !dropped.is_empty() {
        warnings.push(Warning {
            code: "lessons_dropped",
            path: "lessons".to_owned(),
            message: format!(
                "{} lessons left out to fit {} tokens",
                dropped.len(),
                options.token_budget
            ),
        });
    }
    let sha256 = Sha256::digest(page.text.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let token_estimate = page.tokens();
    Ok(Compiled {
        sha256,
        token_estimate,
        spans: page.spans,
        text: page.text,
        dropped,
        warnings,
    })
}

#[cfg(test)]
mod tests;
