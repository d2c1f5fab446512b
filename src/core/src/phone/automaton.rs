//! The numbering plans as tables in read-only data: which numbers are valid, and what may be dialled before them. Built
//! by `examples/phone_automaton`, which also says what is in the file; walked by `fast`.

use super::NumberType;

const FILE: &[u8] = include_bytes!("automaton.bin");

const HASH: usize = 32;
const SECTIONS: usize = 9;

const ROWS: &[[u8; 2]] = section(0).as_chunks().0;
const OUTPUTS: &[[u8; 2]] = section(1).as_chunks().0;
const CHAINS: &[[u8; 4]] = section(2).as_chunks().0;
const CLASSES: &[[u8; 4]] = section(3).as_chunks().0;
const PLANS: &[[u8; 32]] = section(4).as_chunks().0;
const PREFIXES: &[[u8; 22]] = section(5).as_chunks().0;
const REGIONS: &[u8] = section(6);
const CODES: &[u8] = section(7);
const OPENINGS: &[[u8; 100]] = section(8).as_chunks().0;

/// As the file numbers them.
const TYPES: [NumberType; 12] = [
    NumberType::Unknown,
    NumberType::PremiumRate,
    NumberType::TollFree,
    NumberType::SharedCost,
    NumberType::Voip,
    NumberType::PersonalNumber,
    NumberType::Pager,
    NumberType::Uan,
    NumberType::Voicemail,
    NumberType::FixedLine,
    NumberType::Mobile,
    NumberType::FixedLineOrMobile,
];

/// A section of the file. Empty when the file is of another layout, so that the generator, an example of this crate, can
/// still be built to write it anew; the tests then fail.
const fn section(wanted: usize) -> &'static [u8] {
    let mut at = HASH + SECTIONS * 4;
    let mut number = 0;
    loop {
        let length = match FILE.split_at(HASH + number * 4).1.first_chunk() {
            Some(length) => u32::from_le_bytes(*length) as usize,
            None => return &[],
        };
        if number == wanted {
            return match FILE.split_at_checked(at) {
                Some((_, rest)) if rest.len() >= length => rest.split_at(length).0,
                _ => &[],
            };
        }
        at += length;
        number += 1;
    }
}

/// The value of an ASCII digit; the walks are only given those.
#[inline]
fn value(digit: u8) -> usize {
    usize::from(digit.wrapping_sub(b'0'))
}

/// A place in the automaton: a row, or beyond the rows a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Target(u16);

/// Before the calling code.
pub(super) const START: Target = Target(0);

impl Target {
    /// The class of the number that `digits` (ASCII) lead to from here; `None` when it is not valid.
    #[inline]
    pub(super) fn class(self, digits: &[u8]) -> Option<Class> {
        let mut target = usize::from(self.0);
        let mut left = digits.len();
        for digit in digits {
            if target >= OUTPUTS.len() {
                break;
            }
            let next = ROWS.get(target * 10 + value(*digit))?;
            target = usize::from(u16::from_le_bytes(*next));
            left -= 1;
        }
        let class = match OUTPUTS.get(target) {
            Some(class) => u16::from_le_bytes(*class),
            None => {
                let [class @ .., count, count_high] = CHAINS[target - OUTPUTS.len()];
                let count = usize::from(u16::from_le_bytes([count, count_high]));
                if count == left {
                    u16::from_le_bytes(class)
                } else {
                    0
                }
            }
        };
        (class != 0).then_some(Class(class))
    }
}

/// What a valid number is. Of an automaton that says yes or no: that it said yes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Class(u16);

impl Class {
    fn record(self) -> [u8; 4] {
        CLASSES[usize::from(self.0)]
    }

    pub(super) fn plan(self) -> Plan {
        Plan(self.record()[0])
    }

    pub(super) fn number_type(self) -> NumberType {
        TYPES[usize::from(self.record()[1])]
    }

    /// Whether libphonenumber reads the E.164 form as the number itself. It takes the beginning of some others for a
    /// trunk prefix.
    pub(super) fn is_stable(self) -> bool {
        self.record()[2] != 0
    }
}

/// The numbering plan of a region, or of a calling code without a country.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Plan(u8);

impl Plan {
    /// `region` is an ISO 3166-1 alpha-2 code in either case.
    pub(super) fn of_region(region: &str) -> Option<Self> {
        let [first, second] = *region.as_bytes() else {
            return None;
        };
        let letter = |byte: u8| {
            byte.is_ascii_alphabetic()
                .then(|| usize::from(byte.to_ascii_uppercase() - b'A'))
        };
        let number = REGIONS[letter(first)? * 26 + letter(second)?];
        number.checked_sub(1).map(Self)
    }

    /// The main plan of the calling code that `digits` (ASCII) begin with.
    pub(super) fn of_international(digits: &[u8]) -> Option<Self> {
        if digits.starts_with(b"0") {
            return None;
        }
        let mut code = 0;
        digits.iter().take(3).find_map(|digit| {
            code = code * 10 + value(*digit);
            CODES.get(code)?.checked_sub(1).map(Self)
        })
    }

    fn record(self) -> &'static [u8; 32] {
        &PLANS[usize::from(self.0)]
    }

    fn u16(self, at: usize) -> u16 {
        let record = self.record();
        u16::from_le_bytes([record[at], record[at + 1]])
    }

    fn u32(self, at: usize) -> u32 {
        let record = self.record();
        u32::from_le_bytes([record[at], record[at + 1], record[at + 2], record[at + 3]])
    }

    /// ISO 3166-1 alpha-2, or `001`.
    pub(super) fn region(self) -> &'static str {
        match self.record() {
            [0, ..] => "001",
            record => str::from_utf8(&record[..2]).unwrap_or_default(),
        }
    }

    pub(super) fn calling_code(self) -> u16 {
        self.u16(2)
    }

    /// `+` and the calling code, with zero bytes before it.
    pub(super) fn padded_prefix(self) -> [u8; 4] {
        let [.., a, b, c, d] = *self.record();
        [a, b, c, d]
    }

    /// How many digits the calling code has.
    pub(super) fn code_length(self) -> usize {
        match self.padded_prefix() {
            [b'+', ..] => 3,
            [_, b'+', ..] => 2,
            _ => 1,
        }
    }

    /// What comes after the plan's calling code, if `digits` (ASCII) begin with it.
    pub(super) fn after_calling_code(self, digits: &[u8]) -> Option<&[u8]> {
        let written = self.padded_prefix();
        digits.strip_prefix(&written[written.len() - self.code_length()..])
    }

    /// The national numbers of the calling code.
    fn numbers(self) -> Target {
        Target(self.u16(4))
    }

    /// What national `digits` are; `None` when they are not a valid number of the calling code.
    pub(super) fn class(self, digits: &[u8]) -> Option<Class> {
        self.numbers().class(digits)
    }

    /// Whether national `digits` fit the region's general description, whose pattern is wider than all valid numbers.
    pub(super) fn describes(self, digits: &[u8]) -> bool {
        Target(self.u16(6)).class(digits).is_some()
    }

    /// The region of a national number that is not valid.
    pub(super) fn region_of_invalid(self, digits: &[u8]) -> Option<&'static str> {
        if self.record()[19] == 0 {
            return Some(self.region());
        }
        Target(self.u16(8))
            .class(digits)
            .map(|class| class.plan().region())
    }

    /// Whether national `digits` are a short number in a region of the calling code: of emergency services, inquiries,
    /// text services.
    pub(super) fn is_short(self, digits: &[u8]) -> bool {
        Target(self.u16(10)).class(digits).is_some()
    }

    /// What is dialled before a national number.
    pub(super) fn trunk_prefix(self) -> Prefix {
        Prefix(self.u16(12))
    }

    /// What is dialled before a calling code.
    pub(super) fn exit_code(self) -> Prefix {
        Prefix(self.u16(14))
    }

    /// What the length of a national number says of it.
    pub(super) fn length(self, digits: usize) -> Length {
        let (possible, local) = (self.u32(20), self.u32(24));
        let is_one_of =
            |lengths: u32| u32::try_from(digits).is_ok_and(|n| n < 32 && lengths >> n & 1 == 1);
        if is_one_of(local) {
            Length::LocalOnly
        } else if is_one_of(possible) {
            Length::Possible
        } else if digits < possible.trailing_zeros() as usize {
            Length::TooShort
        } else if digits > possible.checked_ilog2().unwrap_or_default() as usize {
            Length::TooLong
        } else {
            Length::Between
        }
    }

    /// The length of the trunk prefix that `digits` begin with, where two of them are enough to say so and to say that
    /// there is no exit code. There must be three.
    pub(super) fn opening(self, digits: &[u8]) -> Option<usize> {
        let [first, second, _, ..] = *digits else {
            return None;
        };
        let table = OPENINGS.get(usize::from(self.u16(16)))?;
        let length = table.get(value(first) * 10 + value(second))?;
        (*length != u8::MAX).then_some(usize::from(*length))
    }

    /// The plan that stands for the calling code where libphonenumber must choose one.
    pub(super) fn main(self) -> Self {
        Self(self.record()[18])
    }
}

/// How the length of a number fits a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    Possible,
    /// Long enough only for dialling inside its own area.
    LocalOnly,
    TooShort,
    TooLong,
    /// None of the plan's lengths, but there are shorter and longer ones.
    Between,
}

/// An automaton that finds a prefix of digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Prefix(u16);

/// A prefix that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) length: usize,
    /// Whether it is not simply to be cut off, but the region rewrites the number.
    pub(super) transforms: bool,
}

impl Prefix {
    /// Whether no digits have such a prefix.
    pub(super) fn is_never(self) -> bool {
        PREFIXES[usize::from(self.0)].iter().all(|&byte| byte == 0)
    }

    /// The prefix that libphonenumber's expression would find: the last match on the way.
    #[inline]
    pub(super) fn find(self, digits: &[u8]) -> Option<Found> {
        let mut record = &PREFIXES[usize::from(self.0)];
        let mut found = None;
        let mut note = |length, kind| {
            if kind != 0 {
                found = Some(Found {
                    length,
                    transforms: kind == 2,
                });
            }
        };
        for (length, digit) in digits.iter().enumerate() {
            note(length, record[20]);
            match record.as_chunks::<2>().0.get(value(*digit)) {
                None | Some([0, 0]) => return found,
                Some(next) => record = &PREFIXES[usize::from(u16::from_le_bytes(*next))],
            }
        }
        note(digits.len(), record[21]);
        found
    }
}

/// A valid number for tests, and a plan of its calling code.
#[cfg(test)]
pub(super) struct Sample {
    pub(super) plan: Plan,
    pub(super) national: String,
}

/// A valid number, all plans equally likely.
#[cfg(test)]
pub(super) fn valid_number(random: &mut super::test_numbers::Random) -> Sample {
    let plan = any_plan(random);
    let national = valid_number_of(plan, random);
    Sample { plan, national }
}

/// A valid national number of the plan's calling code.
#[cfg(test)]
fn valid_number_of(plan: Plan, random: &mut super::test_numbers::Random) -> String {
    loop {
        let mut target = usize::from(plan.numbers().0);
        let mut national = String::new();
        while target < OUTPUTS.len() {
            if OUTPUTS[target] != [0, 0] && random.one_in(3) {
                return national;
            }
            let digit = random.digit();
            national.push(digit);
            let at = target * 10 + digit as usize - '0' as usize;
            target = usize::from(u16::from_le_bytes(ROWS[at]));
        }
        let [class @ .., count, _] = CHAINS[target - OUTPUTS.len()];
        if class != [0, 0] {
            national.extend((0..count).map(|_| random.digit()));
            return national;
        }
    }
}

#[cfg(test)]
pub(super) fn any_plan(random: &mut super::test_numbers::Random) -> Plan {
    Plan(u8::try_from(random.below(PLANS.len())).expect("fewer than 256 plans"))
}

/// A plan with the same calling code.
#[cfg(test)]
pub(super) fn sharer(random: &mut super::test_numbers::Random, plan: Plan) -> Plan {
    loop {
        let other = any_plan(random);
        if other.calling_code() == plan.calling_code() {
            return other;
        }
    }
}

#[cfg(test)]
#[path = "automaton_tests.rs"]
mod tests;
