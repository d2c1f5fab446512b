//! What a file's bytes mean: encoding and delimiter, and how they are guessed.

use std::borrow::Cow;

use super::Reader;

/// How the bytes of a file are characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encoding {
    /// Bytes that are none become U+FFFD.
    #[default]
    Utf8,
    /// Little end first.
    Utf16Le,
    /// Big end first.
    Utf16Be,
    /// What spreadsheets on Windows write in Western Europe and America; every byte is a character.
    Windows1252,
}

impl Encoding {
    /// The name used in SQL and in reports, as the WHATWG has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf16Le => "utf-16le",
            Self::Utf16Be => "utf-16be",
            Self::Windows1252 => "windows-1252",
        }
    }

    /// The encoding that a byte order mark names, and the mark's length.
    pub(super) fn of_mark(head: &[u8]) -> Option<(Self, usize)> {
        match head {
            [0xEF, 0xBB, 0xBF, ..] => Some((Self::Utf8, 3)),
            [0xFF, 0xFE, ..] => Some((Self::Utf16Le, 2)),
            [0xFE, 0xFF, ..] => Some((Self::Utf16Be, 2)),
            _ => None,
        }
    }

    pub(super) fn is_utf16(self) -> bool {
        matches!(self, Self::Utf16Le | Self::Utf16Be)
    }

    /// A cell's text. UTF-16 has been made UTF-8 before it was split into cells.
    pub(super) fn text(self, cell: &[u8]) -> Cow<'_, str> {
        match self {
            Self::Windows1252 => {
                encoding_rs::WINDOWS_1252
                    .decode_without_bom_handling(cell)
                    .0
            }
            _ => String::from_utf8_lossy(cell),
        }
    }
}

impl std::str::FromStr for Encoding {
    type Err = UnknownDialect;

    fn from_str(name: &str) -> Result<Self, UnknownDialect> {
        [Self::Utf8, Self::Utf16Le, Self::Utf16Be, Self::Windows1252]
            .into_iter()
            .find(|encoding| encoding.as_str() == name)
            .ok_or(UnknownDialect::Encoding)
    }
}

/// How a file is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// How its bytes are characters.
    pub encoding: Encoding,
    /// What stands between two cells.
    pub delimiter: u8,
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            encoding: Encoding::default(),
            delimiter: b',',
        }
    }
}

/// An encoding or delimiter that is none of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnknownDialect {
    /// The encoding.
    #[error("encoding must be utf-8, utf-16le, utf-16be or windows-1252")]
    Encoding,
    /// The delimiter.
    #[error("delimiter must be a comma, a semicolon, a tab or a vertical bar")]
    Delimiter,
}

const DELIMITERS: [u8; 4] = *b",;\t|";

/// The delimiter of that name, which is the character itself.
pub(super) fn delimiter(text: &str) -> Result<u8, UnknownDialect> {
    match text.as_bytes() {
        [byte] if DELIMITERS.contains(byte) => Ok(*byte),
        _ => Err(UnknownDialect::Delimiter),
    }
}

impl Dialect {
    /// The dialect of these names; what is not named is UTF-8 and a comma.
    ///
    /// # Errors
    /// Names what is unknown.
    pub fn of(encoding: Option<&str>, delimiter: Option<&str>) -> Result<Self, UnknownDialect> {
        Ok(Self {
            encoding: encoding.map_or(Ok(Encoding::default()), str::parse)?,
            delimiter: delimiter.map_or(Ok(b','), self::delimiter)?,
        })
    }
}

/// The delimiter that makes the most of a file's beginning: as many records as wide as the first as can be, of as many
/// cells as can be. The comma where none makes two cells.
pub(super) fn guess_delimiter(head: &[u8], encoding: Encoding, is_whole: bool) -> u8 {
    let mut best = (0, b',');
    for delimiter in DELIMITERS {
        let mut reader = Reader::new(
            Dialect {
                encoding,
                delimiter,
            },
            0,
        );
        reader.push(head);
        if is_whole {
            reader.finish();
        }
        let mut width = 0;
        let mut alike = 0;
        for _ in 0..100 {
            let Ok(true) = reader.advance() else {
                break;
            };
            if width == 0 {
                width = reader.len();
            }
            alike += usize::from(reader.len() == width);
        }
        let score = if width > 1 { alike * width } else { 0 };
        if score > best.0 {
            best = (score, delimiter);
        }
    }
    best.1
}
