//! The text under construction: bytes that are the same everywhere, and the record of where each came from.

use serde::Serialize;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// A part of the compiled text and its origin. A lesson's labels (`Say:`) count as the lesson's; headings and the
/// lines between parts are `system`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// Key of the section it stands in; `safety` for the fixed end.
    pub section: String,
    /// What the structure says of the section (`wizard`, `manual` …), `prompt` where it says nothing, `lesson`, or
    /// `system` for what the compiler itself wrote.
    pub source: String,
    /// The lesson it came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lesson_id: Option<String>,
    /// The author's reason: the section's `why`, the lesson's `reasoning`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// Where a piece of text comes from.
#[derive(Clone, Copy)]
pub(super) struct Origin<'a> {
    pub(super) section: &'a str,
    pub(super) source: &'a str,
    pub(super) lesson_id: Option<&'a str>,
    pub(super) why: Option<&'a str>,
}

impl<'a> Origin<'a> {
    pub(super) const fn system(section: &'a str) -> Self {
        Self {
            section,
            source: "system",
            lesson_id: None,
            why: None,
        }
    }

    fn is_of(&self, span: &Span) -> bool {
        self.section == span.section
            && self.source == span.source
            && self.lesson_id == span.lesson_id.as_deref()
            && self.why == span.why.as_deref()
    }
}

/// Text and spans; every byte enters through [`Page::push`], so the spans tile the text by construction.
#[derive(Default)]
pub(super) struct Page {
    pub(super) text: String,
    pub(super) spans: Vec<Span>,
}

impl Page {
    pub(super) fn push(&mut self, text: &str, origin: Origin<'_>) {
        if text.is_empty() {
            return;
        }
        let start = self.text.len();
        self.text.push_str(text);
        let end = self.text.len();
        match self.spans.last_mut() {
            Some(last) if origin.is_of(last) => last.end = end,
            _ => self.spans.push(Span {
                start,
                end,
                section: origin.section.to_owned(),
                source: origin.source.to_owned(),
                lesson_id: origin.lesson_id.map(str::to_owned),
                why: origin.why.map(str::to_owned),
            }),
        }
    }

    /// Bytes divided by four, rounded up.
    pub(super) fn tokens(&self) -> i32 {
        i32::try_from(self.text.len().div_ceil(4)).unwrap_or(i32::MAX)
    }
}

/// LF line ends, NFC, no control characters but newline and tab, no white space around the whole.
///
/// Parts are joined with ASCII spaces and newlines, which combine with nothing, so the joined text is NFC too.
pub(super) fn normalise(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut text: String = text
        .chars()
        .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
        .collect();
    if is_nfc_quick(text.chars()) != IsNormalized::Yes {
        text = text.nfc().collect();
    }
    text.trim().to_owned()
}
