//! The boundary to libphonenumber (the `rlibphonenumber` port): the only file that names the library's types.
//!
//! Whatever the input, nothing here fails loudly: one bad lead must not abort the import of a thousand. The library
//! is entered only through [`guarded`], which turns a panic into a refusal. The panic hook is left as it is: it
//! belongs to the process, and the one that pgrx installs prints nothing for a panic that is caught.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::LazyLock,
};

use rlibphonenumber::{
    NumberLengthType, ParseError, PhoneNumber, PhoneNumberFormat, PhoneNumberType, PhoneNumberUtil,
    Region, ValidationError,
};

use super::{
    Description, MAX_INPUT_CHARS, NumberType, Reason, Style, automaton::Plan, clean,
    is_written_as_e164, metadata,
};

struct Engine {
    util: PhoneNumberUtil,
    /// Indexed by calling code (1 to 999).
    is_calling_code: [bool; 1000],
}

static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    let util = PhoneNumberUtil::new_for_metadata(metadata::load())
        .expect("the crate's own metadata names valid regions and a test loads it");
    let mut is_calling_code = [false; 1000];
    for code in util.get_supported_calling_codes() {
        if let Some(entry) = usize::try_from(code)
            .ok()
            .and_then(|i| is_calling_code.get_mut(i))
        {
            *entry = true;
        }
    }
    Engine {
        util,
        is_calling_code,
    }
});

pub(super) fn warm() {
    LazyLock::force(&ENGINE);
}

/// The possible number that `input` stands for.
pub(super) fn resolve(input: &str, region: Option<&str>) -> Result<PhoneNumber, Reason> {
    if input.chars().nth(MAX_INPUT_CHARS).is_some() {
        return Err(Reason::TooLong);
    }
    if has_misplaced_scheme(input) {
        return Err(Reason::NotANumber);
    }
    guarded(|| {
        let number = read(input, region_of(region))?;
        if format_e164(&number) == input {
            return Ok(number);
        }
        // A valid number is taken as written; the library would cut the 8 off some Belarusian ones.
        Ok(valid_as_written(input).unwrap_or(number))
    })
}

pub(super) fn format_e164(number: &PhoneNumber) -> String {
    ENGINE
        .util
        .format(number, PhoneNumberFormat::E164)
        .into_owned()
}

/// `e164` as [`Style`] asks, if it is a possible number.
pub(super) fn format(e164: &str, style: Style) -> Option<String> {
    let number = resolve(e164, None).ok()?;
    let format = match style {
        Style::National => PhoneNumberFormat::National,
        Style::International => PhoneNumberFormat::International,
        Style::Rfc3966 => PhoneNumberFormat::RFC3966,
    };
    guarded(|| Ok(ENGINE.util.format(&number, format).into_owned())).ok()
}

pub(super) fn describe(number: &PhoneNumber) -> Description {
    let util = &ENGINE.util;
    guarded(|| {
        Ok(Description {
            calling_code: number.country_code,
            region: util.get_region_for_number(number).map(region_name),
            number_type: number_type(util.get_number_type(number)),
            valid: util.is_valid_number(number),
        })
    })
    .unwrap_or(Description {
        calling_code: number.country_code,
        region: None,
        number_type: NumberType::Unknown,
        valid: false,
    })
}

/// Whether the number is long enough only for dialling inside its own area.
pub(super) fn is_local_only(number: &PhoneNumber) -> bool {
    guarded(|| Ok(ENGINE.util.is_possible_number_with_reason(number)))
        .is_ok_and(|length| matches!(length, Ok(NumberLengthType::IsPossibleLocalOnly)))
}

fn read(input: &str, region: Option<Region>) -> Result<PhoneNumber, Reason> {
    let number = ENGINE
        .util
        .parse(input, region)
        .map_err(|error| match error {
            ParseError::InvalidCountryCode => Reason::InvalidCountryCode,
            ParseError::NotANumber(_) => Reason::NotANumber,
            ParseError::TooShortAfterIdd | ParseError::TooShortNsn => Reason::TooShort,
            ParseError::TooLongNsn => Reason::TooLong,
        })?;
    if is_two_digits_and_extension(input, &number) {
        return Err(Reason::NotANumber);
    }
    match ENGINE.util.is_possible_number_with_reason(&number) {
        Ok(_) => Ok(number),
        Err(ValidationError::InvalidCountryCode) => Err(Reason::InvalidCountryCode),
        Err(ValidationError::TooShort) => Err(Reason::TooShort),
        Err(ValidationError::TooLong) => Err(Reason::TooLong),
        Err(ValidationError::InvalidLength) => Err(Reason::InvalidRange),
    }
}

/// To Google's library two digits are a number only when nothing follows: `49;ext=092` is none. This port reads one.
fn is_two_digits_and_extension(input: &str, number: &PhoneNumber) -> bool {
    let Some(extension) = number.extension.as_deref() else {
        return false;
    };
    let digits = input.chars().filter(|&c| clean::digit(c).is_some());
    // The port keeps the extension's digits as they were written, in any script.
    digits.count() == 2 + extension.chars().count()
}

/// The number that canonical `text` spells digit by digit, if it is a valid one.
pub(super) fn valid_as_written(text: &str) -> Option<PhoneNumber> {
    if !is_written_as_e164(text) {
        return None;
    }
    let digits = &text[1..];
    // Calling codes are prefix-free, so the first that fits is the only one.
    let split = (1..=3.min(digits.len() - 1)).find(|&length| {
        digits[..length]
            .parse::<usize>()
            .is_ok_and(|code| ENGINE.is_calling_code[code])
    })?;
    let (code, national) = digits.split_at(split);
    let zeros = national[..national.len() - 1]
        .bytes()
        .take_while(|&b| b == b'0')
        .count();
    let number = PhoneNumber {
        country_code: code.parse().ok()?,
        national_number: national.parse().ok()?,
        italian_leading_zero: (zeros > 0).then_some(true),
        number_of_leading_zeros: (zeros > 1).then_some(i32::try_from(zeros).ok()?),
        ..PhoneNumber::default()
    };
    ENGINE.util.is_valid_number(&number).then_some(number)
}

/// `tel:` after `;phone-context=`: the library cuts the text at both places and panics when they are out of order.
fn has_misplaced_scheme(input: &str) -> bool {
    match (input.find(";phone-context="), input.find("tel:")) {
        (Some(context), Some(scheme)) => scheme > context,
        _ => false,
    }
}

fn region_name(region: Region) -> &'static str {
    Plan::of_region(&region.to_string()).map_or("001", Plan::region)
}

/// `001` is a region to the library, but not one that a number can be dialled from.
fn region_of(code: Option<&str>) -> Option<Region> {
    code.filter(|code| code.len() == 2)
        .and_then(|code| Region::from_code(code).ok())
}

/// Runs `call`; a panic inside the library is a refusal.
///
/// The engine holds no state that a panic could leave half-changed: its regexes sit in `OnceLock`s, which stay empty
/// when their initialisation fails.
fn guarded<T>(call: impl FnOnce() -> Result<T, Reason>) -> Result<T, Reason> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or(Err(Reason::NotANumber))
}

fn number_type(library: PhoneNumberType) -> NumberType {
    match library {
        PhoneNumberType::FixedLine => NumberType::FixedLine,
        PhoneNumberType::Mobile => NumberType::Mobile,
        PhoneNumberType::FixedLineOrMobile => NumberType::FixedLineOrMobile,
        PhoneNumberType::TollFree => NumberType::TollFree,
        PhoneNumberType::PremiumRate => NumberType::PremiumRate,
        PhoneNumberType::SharedCost => NumberType::SharedCost,
        PhoneNumberType::VoIP => NumberType::Voip,
        PhoneNumberType::PersonalNumber => NumberType::PersonalNumber,
        PhoneNumberType::Pager => NumberType::Pager,
        PhoneNumberType::UAN => NumberType::Uan,
        PhoneNumberType::VoiceMail => NumberType::Voicemail,
        PhoneNumberType::Unknown => NumberType::Unknown,
    }
}

/// What the tests of the tables ask the library.
#[cfg(test)]
mod oracle {
    use super::*;

    /// The E.164 form of the possible number that the library alone reads in `e164`.
    pub(in crate::phone) fn parsed(e164: &str) -> Option<String> {
        read(e164, None).ok().map(|number| format_e164(&number))
    }

    /// The ASCII form of any script's decimal digit.
    pub(in crate::phone) fn ascii_digit(c: char) -> Option<char> {
        let found = ENGINE
            .util
            .normalize_digits_only(c.encode_utf8(&mut [0; 4]));
        found.chars().next()
    }

    /// The pattern of a plan's general description.
    // Deprecated for those who read it from a finished engine.
    #[allow(deprecated)]
    pub(in crate::phone) fn general_description(region: &str, calling_code: i32) -> regex::Regex {
        let collection = metadata::load();
        let plan = collection
            .metadata
            .into_iter()
            .find(|plan| plan.id == region && plan.country_code() == calling_code);
        let general = plan.and_then(|plan| plan.general_desc);
        let pattern = general.and_then(|general| general.national_number_pattern);
        regex::Regex::new(&pattern.expect("every plan has one")).expect("the library uses it")
    }

    pub(in crate::phone) fn calling_code(region: &str) -> Option<i32> {
        region_of(Some(region)).and_then(|region| ENGINE.util.get_country_code_for_region(region))
    }

    pub(in crate::phone) fn region_for_calling_code(code: i32) -> Option<&'static str> {
        ENGINE
            .util
            .get_region_for_country_code(code)
            .map(region_name)
    }
}
#[cfg(test)]
pub(super) use oracle::{
    ascii_digit, calling_code, general_description, parsed, region_for_calling_code,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_inside_the_library_is_a_refusal() {
        assert_eq!(
            guarded::<()>(|| panic!("as the library might")),
            Err(Reason::NotANumber)
        );
    }

    #[test]
    fn every_example_number_survives_any_default_region() {
        let regions: Vec<_> = ENGINE.util.get_supported_regions().collect();
        let mut seen = 0;
        for region in regions {
            for library_type in [PhoneNumberType::FixedLine, PhoneNumberType::Mobile] {
                let example = ENGINE
                    .util
                    .get_example_number_for_type_and_region(region, library_type);
                let Ok(example) = example else { continue };
                let e164 = format_e164(&example);
                for default in [
                    None,
                    Some("US"),
                    Some("GB"),
                    Some("DE"),
                    Some("BR"),
                    Some("RU"),
                ] {
                    assert_eq!(
                        resolve(&e164, default).map(|n| format_e164(&n)).as_deref(),
                        Ok(e164.as_str()),
                        "default region {default:?}"
                    );
                }
                seen += 1;
            }
        }
        assert!(seen > 450, "{seen} examples");
    }
}
