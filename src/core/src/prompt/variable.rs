//! The variables a prompt may use. They are checked when the prompt is compiled, so that a misspelt one is found by
//! its author and not by a lead.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::Environment;

use super::{
    PromptError,
    section::{Lesson, Section},
    tag,
};

/// What a prompt may use when the options declare nothing else. `.*` stands for any path below.
pub const DEFAULT_CATALOGUE: [&str; 6] = [
    "lead.*",
    "org.*",
    "agent.*",
    "dataset.*",
    "booking_link",
    "local_date",
];

/// The declared variables.
pub(super) struct Catalogue {
    paths: BTreeSet<String>,
    prefixes: BTreeSet<String>,
}

impl Default for Catalogue {
    fn default() -> Self {
        let mut catalogue = Self::empty();
        for path in DEFAULT_CATALOGUE {
            catalogue.declare(path);
        }
        catalogue
    }
}

impl Catalogue {
    pub(super) const fn empty() -> Self {
        Self {
            paths: BTreeSet::new(),
            prefixes: BTreeSet::new(),
        }
    }

    /// Adds `lead.first_name` or `lead.*`; false when it is neither.
    pub(super) fn declare(&mut self, path: &str) -> bool {
        let (names, set) = match path.strip_suffix(".*") {
            Some(prefix) => (prefix, &mut self.prefixes),
            None => (path, &mut self.paths),
        };
        let valid = names.split('.').all(is_name);
        if valid {
            set.insert(names.to_owned());
        }
        valid
    }

    fn declares(&self, path: &str) -> bool {
        self.paths.contains(path)
            || path
                .match_indices('.')
                .any(|(dot, _)| self.prefixes.contains(&path[..dot]))
    }
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Checks every text that goes into the prompt: each is a template of its own and uses declared variables only.
///
/// The engine is built without macros, imports, includes, blocks and inheritance, so those statements are unknown to
/// it. Only plain paths can be checked: `lead[name]` counts as a use of the whole of `lead` and is refused.
pub(super) fn check(
    sections: &[Section],
    lessons: &[Lesson],
    catalogue: &Catalogue,
) -> Result<(), PromptError> {
    let environment = Environment::empty();
    let mut undeclared = BTreeMap::new();
    let mut check_one = |text: &str, path: &dyn Fn() -> String| {
        if !tag::has_tags(text) {
            return Ok(());
        }
        let fault = |line, detail: &str| PromptError::Template {
            path: path(),
            line,
            detail: detail.to_owned(),
        };
        tag::check_plain(text)
            .map_err(|(offset, rule)| fault(1 + text[..offset].matches('\n').count(), rule))?;
        let template = environment.template_from_str(text).map_err(|error| {
            fault(
                error.line().unwrap_or(1),
                error.detail().unwrap_or("is not a valid template"),
            )
        })?;
        for name in template.undeclared_variables(true) {
            if !catalogue.declares(&name) {
                undeclared.entry(name).or_insert_with(path);
            }
        }
        Ok(())
    };
    for section in sections {
        check_one(&section.title, &|| {
            format!("structure.{}.title", section.key)
        })?;
        check_one(&section.content, &|| {
            format!("structure.{}.content", section.key)
        })?;
    }
    for lesson in lessons {
        for (field, text) in lesson.texts() {
            check_one(text, &|| format!("{}.{field}", lesson.path))?;
        }
    }
    if undeclared.is_empty() {
        Ok(())
    } else {
        Err(PromptError::UndeclaredVariables(
            undeclared.into_iter().collect(),
        ))
    }
}
