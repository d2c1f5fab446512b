//! The JSON arguments, checked key by key. Unknown keys are refused: a misspelt `contnet` must not become an empty
//! section of a prompt that talks to customers.

use std::collections::HashSet;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{
    PromptError, Warning, instant,
    section::{KNOWN, Lesson, LessonType, Place, SAFETY_KEY, Section},
    text::normalise,
    variable::Catalogue,
};

/// Most bytes of a structure.
pub const MAX_STRUCTURE_BYTES: usize = 256 * 1024;
/// Most bytes of the lessons, which are many where a structure is one.
pub const MAX_LESSONS_BYTES: usize = 1024 * 1024;
/// Most bytes of the options.
pub const MAX_OPTIONS_BYTES: usize = 64 * 1024;

/// Tokens that a prompt may take when the options do not say.
const DEFAULT_TOKEN_BUDGET: i32 = 4_000;
/// No model reads more; it also keeps the arithmetic far from its limits.
const MAX_TOKEN_BUDGET: i64 = 1_000_000;
/// Longest key of a custom section: an SQL identifier's length, as the keys of this project are.
const MAX_KEY: usize = 63;

pub(super) struct Options {
    pub(super) token_budget: i32,
    pub(super) draft: bool,
    pub(super) variables: Catalogue,
}

pub(super) fn options(json: &str) -> Result<Options, PromptError> {
    let value = parse(json, "options", MAX_OPTIONS_BYTES)?;
    let map = object(&value, "options", &["token_budget", "draft", "variables"])?;
    let token_budget = match integer(map, "options", "token_budget")? {
        None => DEFAULT_TOKEN_BUDGET,
        Some(budget @ 1..=MAX_TOKEN_BUDGET) => i32::try_from(budget).unwrap_or(i32::MAX),
        Some(_) => {
            return Err(shape(
                "options.token_budget",
                format!("must be between 1 and {MAX_TOKEN_BUDGET}"),
            ));
        }
    };
    let draft = match map.get("draft") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(draft)) => *draft,
        Some(_) => return Err(shape("options.draft", "must be true or false")),
    };
    let variables = match map.get("variables") {
        None | Some(Value::Null) => Catalogue::default(),
        Some(Value::Array(paths)) => {
            let mut catalogue = Catalogue::empty();
            for (index, path) in paths.iter().enumerate() {
                if !path.as_str().is_some_and(|path| catalogue.declare(path)) {
                    return Err(shape(
                        format!("options.variables[{index}]"),
                        "must be a path such as lead.first_name, or a prefix such as lead.*",
                    ));
                }
            }
            catalogue
        }
        Some(_) => return Err(shape("options.variables", "must be an array of paths")),
    };
    Ok(Options {
        token_budget,
        draft,
        variables,
    })
}

/// The sections in their order, known ones included when they have no content: lessons may belong there.
pub(super) fn structure(json: &str) -> Result<Vec<Section>, PromptError> {
    let value = parse(json, "structure", MAX_STRUCTURE_BYTES)?;
    let Value::Object(map) = &value else {
        return Err(shape("structure", "must be an object of sections"));
    };
    let mut sections: Vec<Section> = KNOWN
        .into_iter()
        .filter(|(key, _)| !map.contains_key(*key))
        .map(Section::empty)
        .collect();
    for (key, value) in map {
        sections.push(section(key, value)?);
    }
    sections.sort_by(|a, b| a.place.cmp(&b.place));
    Ok(sections)
}

fn section(key: &str, value: &Value) -> Result<Section, PromptError> {
    let known = KNOWN.iter().find(|(known, _)| *known == key);
    if known.is_none() && !is_custom_key(key) {
        return Err(shape(
            "structure",
            format!(
                "{} is no section: a key is lower-case letters, digits and _, begins with a letter, has at most \
                 {MAX_KEY} characters, and is not {SAFETY_KEY} or system",
                quoted(key)
            ),
        ));
    }
    let path = format!("structure.{key}");
    let allowed: &[&str] = match known {
        Some(_) => &["content", "source", "why"],
        None => &["content", "source", "why", "title", "position"],
    };
    let map = object(value, &path, allowed)?;
    let Some(content) = string(map, &path, "content")? else {
        return Err(shape(format!("{path}.content"), "is missing"));
    };
    let source = string(map, &path, "source")?.filter(|source| !source.is_empty());
    if source == Some("system") {
        return Err(shape(
            format!("{path}.source"),
            "system is reserved for the compiler's own text",
        ));
    }
    let title = match (known, string(map, &path, "title")?.map(normalise)) {
        (Some((_, title)), _) => (*title).to_owned(),
        (None, Some(title)) if title.contains('\n') => {
            return Err(shape(format!("{path}.title"), "must be one line"));
        }
        (None, Some(title)) if !title.is_empty() => title,
        (None, _) => title_of(key),
    };
    Ok(Section {
        title,
        content: normalise(content),
        source: source.unwrap_or("prompt").to_owned(),
        why: string(map, &path, "why")?
            .filter(|why| !why.is_empty())
            .map(str::to_owned),
        place: Place::of(key, integer(map, &path, "position")?),
        key: key.to_owned(),
    })
}

fn is_custom_key(key: &str) -> bool {
    key.len() <= MAX_KEY
        && key.starts_with(|c: char| c.is_ascii_lowercase())
        && key
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        && key != SAFETY_KEY
        && key != "system"
}

/// `opening_hours` → `Opening hours`.
fn title_of(key: &str) -> String {
    let mut title = key.replace('_', " ");
    if let Some(first) = title.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    title
}

/// The lessons to compile, in their order, with warnings for those that say nothing.
pub(super) fn lessons(json: &str, draft: bool) -> Result<(Vec<Lesson>, Vec<Warning>), PromptError> {
    let value = parse(json, "lessons", MAX_LESSONS_BYTES)?;
    let Value::Array(items) = &value else {
        return Err(shape("lessons", "must be an array"));
    };
    let (mut lessons, mut warnings) = (Vec::new(), Vec::new());
    let mut ids = HashSet::new();
    for (index, item) in items.iter().enumerate() {
        let (lesson, status) = lesson(item, format!("lessons[{index}]"))?;
        if !ids.insert(lesson.id.clone()) {
            return Err(shape(format!("{}.id", lesson.path), "is used twice"));
        }
        let compiled = match status {
            Status::Active => true,
            Status::Testing => draft,
            Status::Archived => false,
        };
        if !compiled {
            continue;
        }
        if lesson.texts().iter().all(|(_, text)| text.is_empty()) {
            warnings.push(Warning {
                code: "empty_lesson",
                path: lesson.path,
                message: "has no text and was left out".to_owned(),
            });
            continue;
        }
        lessons.push(lesson);
    }
    lessons
        .sort_by(|a, b| (b.priority, a.created_at, &a.id).cmp(&(a.priority, b.created_at, &b.id)));
    Ok((lessons, warnings))
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Active,
    Testing,
    Archived,
}

fn lesson(value: &Value, path: String) -> Result<(Lesson, Status), PromptError> {
    const FIELDS: &[&str] = &[
        "id",
        "lesson_type",
        "status",
        "title",
        "description",
        "trigger",
        "correct_response",
        "incorrect_response",
        "reasoning",
        "priority",
        "created_at",
    ];
    let map = object(value, &path, FIELDS)?;
    let id = string(map, &path, "id")?.filter(|id| !id.is_empty());
    let lesson_type: LessonType = one_of(map, &path, "lesson_type", LessonType::NAMES)?;
    let status: Status = one_of(map, &path, "status", "active, testing or archived")?;
    let text = |key| Ok(string(map, &path, key)?.map(normalise).unwrap_or_default());
    let created_at = match string(map, &path, "created_at")? {
        None => i64::MAX,
        Some(text) => instant::parse(text).ok_or_else(|| {
            shape(
                format!("{path}.created_at"),
                "must be a date-time with an offset (RFC 3339)",
            )
        })?,
    };
    let lesson = Lesson {
        id: id
            .ok_or_else(|| shape(format!("{path}.id"), "is missing"))?
            .to_owned(),
        lesson_type,
        title: text("title")?,
        description: text("description")?,
        trigger: text("trigger")?,
        correct_response: text("correct_response")?,
        incorrect_response: text("incorrect_response")?,
        reasoning: string(map, &path, "reasoning")?
            .filter(|reasoning| !reasoning.is_empty())
            .map(str::to_owned),
        priority: integer(map, &path, "priority")?.unwrap_or(0),
        created_at,
        path,
    };
    Ok((lesson, status))
}

fn parse(json: &str, argument: &'static str, limit: usize) -> Result<Value, PromptError> {
    if json.len() > limit {
        return Err(PromptError::TooLarge { argument, limit });
    }
    serde_json::from_str(json).map_err(|error| PromptError::Json {
        argument,
        detail: error.to_string(),
    })
}

fn object<'a>(
    value: &'a Value,
    path: &str,
    allowed: &[&str],
) -> Result<&'a Map<String, Value>, PromptError> {
    let Value::Object(map) = value else {
        return Err(shape(
            path,
            format!("must be an object with the keys {}", allowed.join(", ")),
        ));
    };
    match map.keys().find(|key| !allowed.contains(&key.as_str())) {
        Some(key) => Err(shape(
            path,
            format!(
                "{} is no key of it; allowed are {}",
                quoted(key),
                allowed.join(", ")
            ),
        )),
        None => Ok(map),
    }
}

/// A text; absent and null are `None`.
fn string<'a>(
    map: &'a Map<String, Value>,
    path: &str,
    key: &str,
) -> Result<Option<&'a str>, PromptError> {
    match map.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(shape(format!("{path}.{key}"), "must be a text")),
    }
}

fn integer(map: &Map<String, Value>, path: &str, key: &str) -> Result<Option<i64>, PromptError> {
    match map.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_i64() {
            Some(number) => Ok(Some(number)),
            None => Err(shape(format!("{path}.{key}"), "must be a whole number")),
        },
    }
}

fn one_of<T: DeserializeOwned>(
    map: &Map<String, Value>,
    path: &str,
    key: &str,
    names: &str,
) -> Result<T, PromptError> {
    map.get(key)
        .and_then(|value| T::deserialize(value).ok())
        .ok_or_else(|| shape(format!("{path}.{key}"), format!("must be {names}")))
}

fn shape(path: impl Into<String>, rule: impl Into<String>) -> PromptError {
    PromptError::Shape {
        path: path.into(),
        rule: rule.into(),
    }
}

/// A key as a message can show it: escaped, and cut when it is long.
fn quoted(key: &str) -> String {
    let mut shown: String = key.chars().take(60).collect();
    if shown.len() < key.len() {
        shown.push('…');
    }
    format!("{shown:?}")
}
