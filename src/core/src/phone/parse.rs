//! The gate for imported numbers: what a cell holds, how sure we are, and what is wrong with it in words a report can
//! use. Stricter than libphonenumber, which maps letters to keypad digits and drops what it cannot read.

use super::{
    Description, MAX_INPUT_CHARS, clean, dialable, engine, fast, labels, rival, test_range,
};

/// How [`parse`] reads its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// Only numbers that carry their country (`+`) are read; the region is ignored.
    pub require_international: bool,
    /// Digits without `+` that are a landline of the region and another country's mobile number are
    /// [`Reason::Ambiguous`] however few they are: for an opt-out, where a wrong guess lets a message through.
    pub cautious: bool,
}

impl Options {
    /// Fewest digits of a landline that may as well be another country's mobile number.
    fn doubted(self) -> usize {
        match self.cautious {
            true => 0,
            false => rival::LONG_LANDLINE,
        }
    }
}

/// What [`parse`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// `Some` unless `validity` is [`Validity::Invalid`].
    pub e164: Option<String>,
    /// Calling code, such as 44.
    pub calling_code: Option<i32>,
    /// ISO 3166-1 alpha-2 (`GB`, `GG`); `001` for calling codes without a country; `None` where the number is in no
    /// range that would tell regions of one calling code apart.
    pub region: Option<&'static str>,
    /// What the numbering plan says the range is for.
    pub number_type: Option<NumberType>,
    /// How sure the answer is.
    pub validity: Validity,
    /// Digits dialled after the call is answered; not part of the E.164 number.
    pub extension: Option<String>,
    /// Why the number was not accepted; `None` for valid and test numbers.
    pub reason: Option<Reason>,
}

macro_rules! names {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl $name {
            /// The name used in SQL and in reports.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

names! {
    /// How far a number can be trusted.
    Validity {
        /// In an assigned range.
        Valid = "valid",
        /// The right length, but in no assigned range: do not import.
        Possible = "possible",
        /// Published for fiction and tests: import, never dial live.
        TestRange = "test_range",
        /// Not a number.
        Invalid = "invalid",
    }
}

names! {
    /// Why a number was not accepted.
    Reason {
        /// No number in the text.
        NotANumber = "not_a_number",
        /// Too few digits for the country.
        TooShort = "too_short",
        /// Too many digits for the country, or more than 250 characters of input.
        TooLong = "too_long",
        /// No such calling code, or none given and no region to read the number in.
        InvalidCountryCode = "invalid_country_code",
        /// In no range that the country has assigned.
        InvalidRange = "invalid_range",
        /// More than one number in the text.
        MultipleNumbers = "multiple_numbers",
        /// A spreadsheet turned the number into `7.7009E+09`: export again with the column as text.
        ExcelScientific = "excel_scientific",
        /// A letter outside an extension marker and known labels, such as O for 0.
        Letters = "letters",
        /// Digits that are a valid number with a `+` before them, and another one without.
        Ambiguous = "ambiguous",
        /// A number inside its country of emergency services, inquiries or text services: no subscriber's.
        ShortOrEmergency = "short_or_emergency",
    }
}

names! {
    /// What a range of numbers is for, in libphonenumber's terms.
    NumberType {
        /// Landline.
        FixedLine = "fixed_line",
        /// Mobile.
        Mobile = "mobile",
        /// Plans that do not tell the two apart, as in North America.
        FixedLineOrMobile = "fixed_line_or_mobile",
        /// Free for the caller.
        TollFree = "toll_free",
        /// Premium rate.
        PremiumRate = "premium_rate",
        /// The cost is shared between caller and called.
        SharedCost = "shared_cost",
        /// Voice over IP.
        Voip = "voip",
        /// Follows a person, not a line.
        PersonalNumber = "personal_number",
        /// Pager.
        Pager = "pager",
        /// Universal access number: one number for a company's offices.
        Uan = "uan",
        /// Voicemail access.
        Voicemail = "voicemail",
        /// In no assigned range.
        Unknown = "unknown",
    }
}

/// Reads one cell of imported data. `region` as for [`to_e164`](super::to_e164).
///
/// Valid numbers and published test numbers are accepted (`reason` is `None`). A merely possible number keeps its
/// E.164 form, for the report, but carries a reason. The checks come in this order: length, spreadsheet notation,
/// several numbers, letters, libphonenumber, and whether another number may be meant.
pub fn parse(input: &str, region: Option<&str>, options: Options) -> Parsed {
    let region = region.filter(|_| !options.require_international);
    let found = match clean::may_have_fraction(input) {
        true => None,
        false => fast::find_plain(input, region, |found| found.map(Resolved::from)),
    };
    match found {
        None => read(input, region, resolve, options.doubted()),
        Some(found) => rival::settle(found, input, region, resolve, options.doubted())
            .and_then(|found| judge(found, None)),
    }
    .unwrap_or_else(refused)
}

/// [`parse`] by libphonenumber alone.
pub(super) fn parse_slowly(input: &str, region: Option<&str>) -> Parsed {
    read(input, region, resolve_slowly, rival::LONG_LANDLINE).unwrap_or_else(refused)
}

fn refused(reason: Reason) -> Parsed {
    Parsed {
        e164: None,
        calling_code: None,
        region: None,
        number_type: None,
        validity: Validity::Invalid,
        extension: None,
        reason: Some(reason),
    }
}

/// A possible number.
pub(super) struct Resolved {
    pub(super) e164: String,
    pub(super) description: Description,
    /// Whether it is long enough only for dialling inside its own area.
    local_only: bool,
}

impl Resolved {
    /// Whether it is in an assigned range, or published for tests.
    pub(super) fn is_accepted(&self) -> bool {
        self.description.valid || test_range::is_test_number(&self.e164)
    }
}

/// Reads a text as libphonenumber does.
pub(super) type Resolve = fn(&str, Option<&str>) -> Result<Resolved, Reason>;

impl From<fast::Number<'_>> for Resolved {
    fn from(number: fast::Number<'_>) -> Self {
        Self {
            e164: number.e164.to_owned(),
            description: number.description(),
            local_only: number.local_only,
        }
    }
}

fn resolve(number: &str, region: Option<&str>) -> Result<Resolved, Reason> {
    fast::find(number, region, |found| found.map(Resolved::from))
        .unwrap_or_else(|| resolve_slowly(number, region))
}

fn resolve_slowly(number: &str, region: Option<&str>) -> Result<Resolved, Reason> {
    let found = engine::resolve(number, region)?;
    Ok(Resolved {
        e164: engine::format_e164(&found),
        description: engine::describe(&found),
        local_only: engine::is_local_only(&found),
    })
}

fn read(
    input: &str,
    region: Option<&str>,
    resolve: Resolve,
    doubted: usize,
) -> Result<Parsed, Reason> {
    if input.chars().nth(MAX_INPUT_CHARS).is_some() {
        return Err(Reason::TooLong);
    }
    let text = clean::plain(input);
    if clean::is_scientific(&text) {
        return Err(Reason::ExcelScientific);
    }
    let text = clean::without_tel_link(&text);
    match read_number(&text, region, resolve, doubted) {
        Err(Reason::Letters) => {
            let (text, extension) = clean::split_extension(&text);
            let number = labels::without(text).ok_or(Reason::Letters)?;
            let mut parsed = read_number(number, region, resolve, doubted)?;
            if let Some(extension) = extension
                && parsed.extension.replace(extension.to_owned()).is_some()
            {
                return Err(Reason::Letters);
            }
            Ok(parsed)
        }
        found => found,
    }
}

/// Reads a number without labels.
fn read_number(
    text: &str,
    region: Option<&str>,
    resolve: Resolve,
    doubted: usize,
) -> Result<Parsed, Reason> {
    let text = clean::without_fraction(text);
    let (number, extension) = clean::split_extension(text);
    if clean::holds_several(number) {
        return Err(Reason::MultipleNumbers);
    }
    if number.chars().any(char::is_alphabetic) {
        return Err(Reason::Letters);
    }
    // On a keypad a star or a hash makes a service code, not a subscriber; libphonenumber skips the one and takes what
    // follows the other for an extension.
    if number.contains('*') || clean::has_mark(number) {
        return Err(Reason::NotANumber);
    }
    let one_line = |text: &str| text.replace('\n', " ");
    if let Some(first) = clean::before_short_ending(number)
        && resolve(&one_line(first), region).is_ok_and(|number| number.is_accepted())
    {
        return Err(Reason::MultipleNumbers);
    }
    let number = one_line(number);
    let found = resolve(&number, region);
    judge(
        rival::settle(found, &number, region, resolve, doubted)?,
        extension,
    )
}

fn judge(number: Resolved, extension: Option<&str>) -> Result<Parsed, Reason> {
    // A doubled trunk prefix: read again, the number would be another one. A valid one never is.
    if !number.description.valid && !super::is_e164(&number.e164) {
        return Err(Reason::InvalidRange);
    }
    let (validity, reason) = if test_range::is_test_number(&number.e164) {
        (Validity::TestRange, None)
    } else if number.description.valid {
        (Validity::Valid, None)
    } else if dialable::is_short(&number.e164) {
        (Validity::Possible, Some(Reason::ShortOrEmergency))
    } else if number.local_only {
        (Validity::Possible, Some(Reason::TooShort))
    } else {
        (Validity::Possible, Some(Reason::InvalidRange))
    };
    Ok(Parsed {
        e164: Some(number.e164),
        calling_code: Some(number.description.calling_code),
        region: number.description.region,
        number_type: Some(number.description.number_type),
        validity,
        extension: extension.map(str::to_owned),
        reason,
    })
}
