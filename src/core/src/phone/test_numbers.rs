//! Numbers and spellings for tests.

use super::{automaton, fast};

/// A deterministic stream (SplitMix64): the same numbers on every run.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % limit as u64) as usize
    }

    pub(super) fn one_in(&mut self, limit: usize) -> bool {
        self.below(limit) == 0
    }

    pub(super) fn digit(&mut self) -> char {
        char::from(b'0' + self.below(10) as u8)
    }

    pub(super) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

/// What may stand before a number: exit codes, trunk prefixes, calling codes, carrier codes.
const PREFIXES: [&str; 24] = [
    "", "0", "1", "8", "00", "011", "810", "06", "01", "02", "001", "0011", "010", "119", "99",
    "80", "90", "015", "180020", "0831", "1001", "15", "44", "7",
];

/// A valid number that libphonenumber reads as itself.
pub(super) fn stable_e164(random: &mut Random) -> String {
    loop {
        let number = automaton::valid_number(random);
        let e164 = format!("+{}{}", number.plan.calling_code(), number.national);
        if fast::canonical(&e164).is_some() {
            return e164;
        }
    }
}

/// Digits of a valid number without `+`, and a plan of its calling code that they are dialled in: the whole number, the
/// national one, and both with something before them.
pub(super) fn dialled(random: &mut Random) -> (String, automaton::Plan) {
    let number = automaton::valid_number(random);
    let home = automaton::sharer(random, number.plan);
    let code = home.calling_code();
    let national = &number.national;
    let digits = match random.below(5) {
        0 | 1 => format!("{code}{national}"),
        2 => format!("{code}0{national}"),
        3 => national.clone(),
        _ => format!("{}{national}", random.pick(&PREFIXES)),
    };
    (digits, home)
}

/// A number of `plan` as people write it, now and then damaged, and the region to read it in.
pub(super) fn spelling(random: &mut Random) -> (String, Option<&'static str>) {
    let number = automaton::valid_number(random);
    let plan = number.plan;
    let code = plan.calling_code();
    let region = match random.below(10) {
        0 => None,
        1 => Some(automaton::any_plan(random).region()),
        2 => Some(automaton::sharer(random, plan).region()),
        _ => Some(plan.region()),
    };
    let national = &number.national;
    let mut digits = match random.below(8) {
        0 | 1 => format!("+{code}{national}"),
        2 => format!("+{code}{}{national}", random.pick(&PREFIXES)),
        3 => format!("{}{code}{national}", random.pick(&PREFIXES)),
        4 => national.clone(),
        _ => format!("{}{national}", random.pick(&PREFIXES)),
    };
    if random.one_in(4) {
        damage(random, &mut digits);
    }
    (separated(random, &digits), region)
}

fn damage(random: &mut Random, digits: &mut String) {
    let at = random.below(digits.len() + 1);
    match random.below(4) {
        0 => digits.insert(at, random.digit()),
        1 => digits.truncate(at),
        2 => digits.insert(
            at,
            random.pick(&['x', '#', ',', ';', '+', '*', 'é', '٣', '\n', '~', '[']),
        ),
        _ if at < digits.len() => {
            digits.remove(at);
        }
        _ => digits.push(random.digit()),
    }
}

fn separated(random: &mut Random, digits: &str) -> String {
    if random.one_in(3) {
        return digits.to_owned();
    }
    let often = 2 + random.below(6);
    let mut text = String::new();
    for c in digits.chars() {
        if random.one_in(often) {
            text.push_str(random.pick(&[" ", "-", ".", "(", ") ", "/", "  ", " - "]));
        }
        text.push(c);
    }
    if random.one_in(8) {
        text.push_str(random.pick(&[" ", ")", ".", "-", "/"]));
    }
    text
}

/// What may stand between digits, dropped by libphonenumber or not.
pub(super) const PUNCTUATION: &[&str] = &[
    " ", "-", ".", "(", ")", "/", "[", "]", "~", "*", "+", "\\", "_", "'", ":", "\t", "\n", "\r",
    "\u{a0}", "\u{ad}", "\u{200b}", "\u{200e}", "\u{2010}", "\u{2013}", "\u{2015}", "\u{2028}",
    "\u{202c}", "\u{2053}", "\u{2060}", "\u{2212}", "\u{223c}", "\u{3000}", "\u{30fc}", "（", "）",
    "－", "．", "／", "［", "］", "\u{feff}", "＋",
];

/// What may stand before an extension or round a number.
pub(super) const MARKS: &[&str] = &[
    "x",
    "X",
    " x ",
    "#",
    " #",
    "~",
    "int",
    "ext",
    " ext. ",
    "EXT:",
    "extn",
    "xt",
    "xtn ",
    "extension ",
    "anexo",
    "доб",
    "ｘ",
    "＃",
    ",",
    ", ",
    ",,",
    ",,,",
    ";",
    "; ",
    ";ext=",
    ";isub=",
    ";phone-context=",
    ";phone-context=+44",
    ";phone-context=+1;",
    ";phone-context=a.example",
    "tel:",
    "Tel: ",
    "TEL:",
    "- ",
    "x.",
    "x:-",
    ", x",
    "½",
    "é",
    "½#",
];

/// `text` with digits of another script, other punctuation, a mark or a word somewhere.
pub(super) fn unusual(random: &mut Random, text: &str) -> String {
    let zero = random.pick(&['0', '0', '٠', '०', '０', '𝟎']);
    let mut text: String = text
        .chars()
        .map(|c| match c.to_digit(10) {
            Some(digit) => char::from_u32(u32::from(zero) + digit).unwrap_or(c),
            None if random.one_in(4) => random.pick(PUNCTUATION).chars().next().unwrap_or(c),
            None => c,
        })
        .collect();
    match random.below(8) {
        0 | 1 => {
            text.push_str(random.pick(MARKS));
            text.extend((0..random.below(11)).map(|_| random.digit()));
            text.push_str(random.pick(&["", "", "", "#", " ", ";", ";isub=1", "x"]));
        }
        2 => text.insert_str(
            0,
            random.pick(&["tel:", "Phone: ", "T ", "\u{202a}", "++", "=\"", "a\nb"]),
        ),
        3 => text.push_str(random.pick(&[
            " (home)", "\u{202c}", "\"", ".", " ab", "FLOWERS", "\r\n", ";", "é", "²",
        ])),
        4 => text.push_str(random.pick(&[
            ";phone-context=+44",
            ";phone-context=+1;x=1",
            ";phone-context=a.example",
            ";phone-context=a-b.c",
        ])),
        5 => text.insert_str(0, "tel:"),
        _ => {}
    }
    text
}
