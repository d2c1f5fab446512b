//! Puts sections and lessons on one page, and leaves lessons out until it fits.

use std::collections::HashSet;

use super::{
    Dropped, PromptError,
    section::{Lesson, LessonType, SAFETY, SAFETY_KEY, SAFETY_TITLE, Section},
    text::{Origin, Page},
};

/// The page with as few lessons left out as the budget allows, and those lessons in the order they were given up.
pub(super) fn within_budget(
    sections: &[Section],
    lessons: &[Lesson],
    budget: i32,
) -> Result<(Page, Vec<Dropped>), PromptError> {
    let order = giving_up_order(lessons);
    let page_without = |count: usize| {
        let dropped: HashSet<&str> = order[..count]
            .iter()
            .map(|lesson| lesson.id.as_str())
            .collect();
        assemble(
            sections,
            lessons
                .iter()
                .filter(|lesson| !dropped.contains(lesson.id.as_str())),
        )
    };
    let full = page_without(0);
    if full.tokens() <= budget {
        return Ok((full, Vec::new()));
    }
    let least = page_without(order.len());
    if least.tokens() > budget {
        return Err(PromptError::OverBudget {
            tokens: least.tokens(),
            budget,
        });
    }
    // Every lesson left out makes the page shorter, so the smallest number that fits can be searched by halves;
    // counting up would assemble a page for each of ten thousand small lessons.
    let (mut too_few, mut enough) = (0, order.len());
    while enough - too_few > 1 {
        let middle = too_few + (enough - too_few) / 2;
        if page_without(middle).tokens() <= budget {
            enough = middle
        } else {
            too_few = middle
        }
    }
    let dropped = order[..enough]
        .iter()
        .map(|lesson| Dropped {
            lesson_id: lesson.id.clone(),
            lesson_type: lesson.lesson_type,
            section: lesson.lesson_type.section(),
        })
        .collect();
    Ok((page_without(enough), dropped))
}

/// Lessons that may be left out: examples, best practices, objections; within each the least important first.
fn giving_up_order(lessons: &[Lesson]) -> Vec<&Lesson> {
    let mut order: Vec<(u8, &Lesson)> = lessons
        .iter()
        .rev()
        .filter_map(|lesson| Some((lesson.lesson_type.given_up()?, lesson)))
        .collect();
    // Stable: the reversed order of importance stays within each turn.
    order.sort_by_key(|(turn, _)| *turn);
    order.into_iter().map(|(_, lesson)| lesson).collect()
}

fn assemble<'a>(sections: &[Section], lessons: impl Iterator<Item = &'a Lesson>) -> Page {
    let lessons: Vec<&Lesson> = lessons.collect();
    let mut page = Page::default();
    for section in sections {
        let mut own = lessons
            .iter()
            .filter(|lesson| lesson.lesson_type.section() == section.key)
            .peekable();
        if section.content.is_empty() && own.peek().is_none() {
            continue;
        }
        let system = Origin::system(&section.key);
        heading(&mut page, &section.key, &section.title);
        if !section.content.is_empty() {
            let origin = Origin {
                section: &section.key,
                source: &section.source,
                lesson_id: None,
                why: section.why.as_deref(),
            };
            page.push("\n", system);
            page.push(&section.content, origin);
            page.push("\n", system);
        }
        if own.peek().is_some() {
            page.push("\n", system);
        }
        for lesson in own {
            let origin = Origin {
                section: &section.key,
                source: "lesson",
                lesson_id: Some(&lesson.id),
                why: lesson.reasoning.as_deref(),
            };
            page.push(&item(lesson), origin);
        }
    }
    heading(&mut page, SAFETY_KEY, SAFETY_TITLE);
    let system = Origin::system(SAFETY_KEY);
    page.push("\n", system);
    page.push(SAFETY, system);
    page.push("\n", system);
    page
}

fn heading(page: &mut Page, key: &str, title: &str) {
    let system = Origin::system(key);
    if !page.text.is_empty() {
        page.push("\n", system);
    }
    page.push(&format!("## {title}\n"), system);
}

/// A list item: the title on the first line, the other fields on lines of their own, indented below it.
fn item(lesson: &Lesson) -> String {
    let (say, avoid) = match lesson.lesson_type {
        LessonType::DosDonts | LessonType::BestPractice => ("Do: ", "Do not: "),
        LessonType::NeverRule | LessonType::BlacklistWord => ("Instead: ", "Not: "),
        LessonType::ObjectionHandling | LessonType::ExampleGood | LessonType::ExampleBad => {
            ("Say: ", "Do not say: ")
        }
    };
    let fields = [
        ("", &lesson.title),
        ("", &lesson.description),
        ("When: ", &lesson.trigger),
        (say, &lesson.correct_response),
        (avoid, &lesson.incorrect_response),
    ];
    let lines: Vec<String> = fields
        .into_iter()
        .filter(|(_, text)| !text.is_empty())
        .map(|(label, text)| format!("{label}{}", text.replace('\n', "\n  ")))
        .collect();
    format!("- {}{}\n", lesson.lesson_type.lead(), lines.join("\n  "))
}
