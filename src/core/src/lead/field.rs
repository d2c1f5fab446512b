//! What of a lead a row can fill.

macro_rules! fields {
    ($($(#[$doc:meta])* $variant:ident = $name:literal $(at most $most:literal)?,)+) => {
        /// A field of a lead.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Field { $($(#[$doc])* $variant,)+ }

        impl Field {
            /// All of them.
            pub const ALL: &'static [Field] = &[$(Self::$variant,)+];

            /// The column's name in SQL.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// Most characters, where it is not a shape that bounds it.
            pub(super) const fn max_chars(self) -> Option<usize> {
                match self { $(Self::$variant => fields!(@most $($most)?),)+ }
            }
        }
    };
    (@most) => { None };
    (@most $most:literal) => { Some($most) };
}

fields! {
    /// Never empty.
    FirstName = "first_name" at most 200,
    /// The rest of the name.
    LastName = "last_name" at most 200,
    /// Any spelling; never empty.
    PhoneNumber = "phone_number" at most 250,
    /// Digits dialled after the call is answered.
    PhoneExtension = "phone_extension",
    /// An e-mail address.
    Email = "email" at most 320,
    /// As the post writes it.
    Postcode = "postcode" at most 20,
    /// When the contact asked.
    InquiryDate = "inquiry_date",
    /// Anything.
    Notes = "notes" at most 10000,
    /// Why the contact may be written to: see [`Field::CONSENT_BASES`].
    ConsentBasis = "consent_basis",
    /// Since when.
    ConsentAt = "consent_at",
}

impl Field {
    /// What `consent_basis` may say.
    pub const CONSENT_BASES: [&'static str; 4] =
        ["consent", "soft_opt_in", "legitimate_interest", "contract"];

    pub(super) const COUNT: usize = Self::ALL.len();

    pub(super) fn of(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|field| field.as_str() == name)
    }
}
