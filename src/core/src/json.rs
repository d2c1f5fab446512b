//! How many bytes a `jsonb` value takes as text, without printing it: `1e131071` is eight bytes stored and 131,072
//! printed, so whoever prints first and counts afterwards has already paid. Every length is that of `jsonb_out`.

/// Brackets and separators of an array.
pub fn array(elements: usize) -> usize {
    2 + 2 * elements.saturating_sub(1)
}

/// Brackets, separators and colons of an object.
pub fn object(pairs: usize) -> usize {
    array(pairs) + 2 * pairs
}

/// A string with its quotes and escapes.
pub fn string(bytes: &[u8]) -> usize {
    2 + bytes
        .iter()
        .map(|byte| match byte {
            b'"' | b'\\' | 8 | 9 | 10 | 12 | 13 => 2,
            0..32 => 6,
            _ => 1,
        })
        .sum::<usize>()
}

/// A number, from the bytes of a `numeric` behind its length word: a header of one or two 16-bit words, then groups of
/// four decimal digits. The header alone says how far the digits reach; only the first group is looked at.
///
/// `None` when the bytes are no `numeric`.
pub fn number(numeric: &[u8]) -> Option<usize> {
    const SHORT: u16 = 0x8000;
    let word = |index: usize| -> Option<u16> {
        let bytes = numeric.get(2 * index..2 * index + 2)?;
        Some(u16::from_ne_bytes(bytes.try_into().ok()?))
    };
    let header = word(0)?;
    let (negative, scale, weight, digits) = match header & 0xC000 {
        SHORT => {
            let weight = i32::from(header & 0x3F) - i32::from(header & 0x40);
            (header & 0x2000 != 0, (header & 0x1F80) >> 7, weight, 1)
        }
        // NaN and the infinities, which jsonb does not hold.
        0xC000 => return None,
        sign => (
            sign != 0,
            header & 0x3FFF,
            i32::from(word(1)?.cast_signed()),
            2,
        ),
    };
    let whole = match (usize::try_from(weight), word(digits)) {
        (Ok(groups), Some(first)) => 4 * groups + decimal_digits(first),
        // Zero has no digits; a fraction below one begins with one.
        _ => 1,
    };
    let scale = usize::from(scale);
    Some(usize::from(negative) + whole + if scale > 0 { 1 + scale } else { 0 })
}

fn decimal_digits(group: u16) -> usize {
    match group {
        0..10 => 1,
        10..100 => 2,
        100..1000 => 3,
        _ => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn punctuation() {
        assert_eq!(array(0), "[]".len());
        assert_eq!(array(3), "[, , ]".len());
        assert_eq!(object(0), "{}".len());
        assert_eq!(object(2), "{: , : }".len());
    }

    #[test]
    fn strings_with_their_escapes() {
        for (text, printed) in [
            ("", r#""""#),
            ("é", r#""é""#),
            ("a\"b\\c", r#""a\"b\\c""#),
            ("\u{8}\t\n\u{c}\r", r#""\b\t\n\f\r""#),
            ("\u{1}\u{1f}\u{7f}", "\"\\u0001\\u001f\u{7f}\""),
        ] {
            assert_eq!(string(text.as_bytes()), printed.len(), "{text:?}");
        }
    }

    fn words(words: &[u16]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_ne_bytes()).collect()
    }

    #[test]
    fn numbers_by_their_header() {
        for (header, printed) in [
            (&[0x8000][..], "0"),
            // Weight 0 and -1 in seven bits, scale in six.
            (&[0x8000, 7], "7"),
            (&[0xA000, 1234], "-1234"),
            (&[0x8001, 12, 3456], "123456"),
            (&[0x8080 | 0x7F, 5000], "0.5"),
            (&[0x8280, 10, 1000], "10.10000"),
            // Long: sign and scale in one word, weight in the next.
            (&[0x4000 | 100, 0, 1], &format!("-1.{}", "0".repeat(100))),
            (&[70, 0xFFEE, 1], &format!("0.{}", "0".repeat(70))),
        ] {
            assert_eq!(number(&words(header)), Some(printed.len()), "{printed}");
        }
        assert_eq!(
            number(&words(&[0, 32_767, 1000])),
            Some(131_072),
            "1e131071"
        );
        assert_eq!(number(&words(&[0xC000])), None);
        assert_eq!(number(&[]), None);
    }
}
