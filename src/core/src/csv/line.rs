//! Lines for a spreadsheet. It runs a cell that begins with `=`, and turns `007`, `+44…`, `1-2` and the like into another
//! number or a date; so such cells are marked, and the marks taken off when a file is read.

use csv::{Terminator, WriterBuilder};

/// Longest text that a spreadsheet may take for a number or date.
const MAX_NUMBER: usize = 64;

/// One line of a CSV file without its end: cells separated by commas, in quotes where they need to be.
///
/// A cell that a spreadsheet would run (it begins with `=`, `+`, `-`, `@`, in any width and behind blanks, or with a tab or a
/// line break) gets an apostrophe before it. One that it would take for a number or a date and change (a phone number, a
/// leading zero, more than 15 digits, `1/2`) is written as the formula `="…"`, whose value is the text. [`unwrapped`] takes
/// both off again.
pub fn line<'a>(cells: impl IntoIterator<Item = Option<&'a str>>) -> String {
    let mut writer = WriterBuilder::new()
        .terminator(Terminator::Any(b'\n'))
        .buffer_capacity(1024)
        .from_writer(Vec::with_capacity(256));
    let mut wrapped = String::new();
    for cell in cells {
        let cell = cell.unwrap_or_default();
        wrapped.clear();
        match mark(cell) {
            Mark::None => {}
            Mark::Apostrophe => wrapped.extend(["'", cell]),
            Mark::Text => wrapped.extend(["=\"", cell, "\""]),
        }
        let written = if wrapped.is_empty() { cell } else { &wrapped };
        writer.write_field(written).expect("memory takes it");
    }
    writer.write_record(None::<&[u8]>).expect("memory takes it");
    let mut bytes = writer.into_inner().expect("memory takes it");
    bytes.pop();
    String::from_utf8(bytes).expect("texts make a text")
}

enum Mark {
    None,
    Apostrophe,
    Text,
}

fn mark(cell: &str) -> Mark {
    if may_be_changed(cell) {
        Mark::Text
    } else if is_run(cell) && !is_plain_number(cell) || cell.starts_with('\'') && is_marked(cell) {
        Mark::Apostrophe
    } else {
        Mark::None
    }
}

/// Whether a spreadsheet runs a cell, if what it takes for blank is not in the way.
fn is_run(cell: &str) -> bool {
    let text = cell.trim_start_matches(|c: char| {
        c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}'..='\u{200f}')
    });
    cell.starts_with(['\t', '\r', '\n'])
        || text.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
}

/// Whether the apostrophes at its beginning may be marks.
fn is_marked(cell: &str) -> bool {
    let rest = cell.trim_start_matches('\'');
    is_run(rest) || rest.starts_with(|c: char| c.is_ascii_digit())
}

/// Whether the text is a number that every spreadsheet shows as it stands.
fn is_plain_number(cell: &str) -> bool {
    let unsigned = cell.strip_prefix('-').unwrap_or(cell);
    let (whole, fraction) = match unsigned.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (unsigned, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(|fraction| digits(fraction) && !fraction.ends_with('0'))
        && unsigned.len() <= 15
        && cell != "-0"
}

/// Whether a spreadsheet may take the text for a number, date or time that it writes in another way.
fn may_be_changed(cell: &str) -> bool {
    if cell.len() > MAX_NUMBER || is_plain_number(cell) {
        return false;
    }
    let text = cell.trim_start_matches([' ', '\u{a0}']);
    let numeric = |c: char| c.is_ascii_digit() || " \u{a0}.,:/+-%()'".contains(c);
    let has_digit = text.contains(|c: char| c.is_ascii_digit());
    let begins = text.starts_with(|c: char| c.is_ascii_digit() || "+-.,(".contains(c));
    if !has_digit || text.contains('"') {
        return false;
    }
    if begins && text.chars().all(numeric) {
        return true;
    }
    // 1e5, 5-Mar, 10:30 pm, Mar 5.
    let letters: String = text.chars().filter(char::is_ascii_alphabetic).collect();
    let known =
        is_month(&letters) || ["e", "am", "pm", "a", "p"].contains(&&*letters.to_ascii_lowercase());
    known && text.chars().all(|c| numeric(c) || c.is_ascii_alphabetic())
}

fn is_month(letters: &str) -> bool {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let letters = letters.to_ascii_lowercase();
    letters.len() >= 3 && MONTHS.iter().any(|month| month.starts_with(&*letters))
}

/// The text of a cell without the marks of [`line()`], and of spreadsheets that write the same: `="…"`, and an apostrophe
/// before what would be run or is a number.
#[must_use]
pub fn unwrapped(cell: &str) -> &str {
    let inside = cell
        .strip_prefix("=\"")
        .and_then(|rest| rest.strip_suffix('"'))
        .filter(|inside| !inside.contains('"'));
    match (inside, cell.strip_prefix('\'')) {
        (Some(inside), _) => inside,
        (None, Some(rest)) if is_marked(cell) => rest,
        _ => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_a_spreadsheet_would_run_or_change_is_marked() {
        for (cell, written) in [
            ("Jane", "Jane"),
            ("O'Neill, Jane", "\"O'Neill, Jane\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("+447700900123", "\"=\"\"+447700900123\"\"\""),
            ("07700 900123", "\"=\"\"07700 900123\"\"\""),
            ("007", "\"=\"\"007\"\"\""),
            ("7", "7"),
            ("-7", "-7"),
            ("3.25", "3.25"),
            ("3.250", "\"=\"\"3.250\"\"\""),
            ("1234567890123456", "\"=\"\"1234567890123456\"\"\""),
            ("1-2", "\"=\"\"1-2\"\"\""),
            ("2025-03-31", "\"=\"\"2025-03-31\"\"\""),
            ("1e5", "\"=\"\"1e5\"\"\""),
            ("Mar 5", "\"=\"\"Mar 5\"\"\""),
            ("Unit 5", "Unit 5"),
            ("LS1 1AA", "LS1 1AA"),
            ("=1+1", "'=1+1"),
            ("-1+1", "\"=\"\"-1+1\"\"\""),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
            ("\tx", "'\tx"),
            (" =1+1", "' =1+1"),
            ("\u{200b}=1+1", "'\u{200b}=1+1"),
            ("\u{feff}@x", "'\u{feff}@x"),
            ("＝1+1", "'＝1+1"),
            ("\n=x", "\"'\n=x\""),
            (" x", " x"),
            ("'=x", "''=x"),
            ("'Tis", "'Tis"),
            ("", "\"\""),
        ] {
            assert_eq!(line([Some(cell)]), written, "{cell}");
            assert_eq!(unwrapped(written_cell(written).as_str()), cell, "{written}");
        }
        assert_eq!(line([Some("a"), None, Some("b")]), "a,,b");
    }

    fn written_cell(line: &str) -> String {
        let mut reader = crate::csv::Reader::new(crate::csv::Dialect::default(), 0);
        reader.push(line.as_bytes());
        reader.finish();
        assert_eq!(reader.advance(), Ok(true));
        assert_eq!(reader.len(), 1);
        reader.cell(0).into_owned()
    }

    proptest! {
        #[test]
        fn a_line_reads_back_as_its_cells(cells in prop::collection::vec("[ -~\\t\\r\\né€😀']{0,12}|[-+='@0-9.,:/ e]{0,12}", 2..6)) {
            let text = line(cells.iter().map(|cell| Some(cell.as_str())));
            let mut reader = crate::csv::Reader::new(crate::csv::Dialect::default(), 0);
            reader.push(text.as_bytes());
            reader.finish();
            prop_assert_eq!(reader.advance(), Ok(true));
            let read: Vec<String> = reader.cells().map(|cell| unwrapped(&cell).to_owned()).collect();
            prop_assert_eq!(read, cells);
        }

        #[test]
        fn no_written_cell_is_run(cell in "[ \\u{a0}]{0,2}[-+=@＝＋－＠\\t\\r\\n'].{0,20}") {
            let text = line([Some(cell.as_str()), None]);
            let written = text.trim_start_matches('"');
            let is_text = written.starts_with("=\"\"");
            let begins = written.trim_start();
            prop_assert!(is_text || !begins.starts_with(['=', '+', '@', '＝', '＋', '－', '＠']));
            prop_assert!(!written.starts_with(['\t', '\r', '\n']));
            prop_assert!(!begins.starts_with('-') || is_plain_number(&cell));
        }
    }
}
