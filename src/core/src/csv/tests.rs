use super::*;
use proptest::prelude::*;

type Rows = (Vec<Vec<String>>, Option<Fault>);

fn rows_of(pieces: &[&[u8]], dialect: Dialect, from: u64) -> (Rows, Vec<u64>) {
    let mut reader = Reader::new(dialect, from);
    let (mut rows, mut ends) = (Vec::new(), Vec::new());
    let mut fault = None;
    let mut read = |reader: &mut Reader| loop {
        match reader.advance() {
            Ok(true) => {
                rows.push(reader.cells().map(|cell| cell.into_owned()).collect());
                ends.push(reader.offset());
            }
            Ok(false) => return true,
            Err(found) => {
                fault = Some(found);
                return false;
            }
        }
    };
    let mut goes_on = true;
    for piece in pieces {
        if goes_on {
            reader.push(piece);
            goes_on = read(&mut reader);
        }
    }
    if goes_on {
        reader.finish();
        read(&mut reader);
    }
    ((rows, fault), ends)
}

fn profile(pieces: &[&[u8]]) -> Profile {
    let mut profiler = Profiler::new(None, None).unwrap();
    for piece in pieces {
        profiler.push(piece);
    }
    profiler.finish()
}

fn utf16(text: &str, big: bool, mark: bool) -> Vec<u8> {
    let mark = mark.then_some('\u{feff}');
    let units: Vec<u16> = mark
        .into_iter()
        .chain(text.chars())
        .flat_map(|c| c.encode_utf16(&mut [0; 2]).to_vec())
        .collect();
    let bytes = |unit: &u16| match big {
        true => unit.to_be_bytes(),
        false => unit.to_le_bytes(),
    };
    units.iter().flat_map(bytes).collect()
}

/// What every kind of file is said to be. The same list stands in docs/import.md.
#[test]
fn what_is_wrong_with_a_file() {
    let problem = |bytes: &[u8]| profile(&[bytes]).problem.map(|found| found.to_string());
    let long = format!("a,b\n1,2\n3,{}\n", "x".repeat(10 << 20));
    let open = format!("a,b\n1,\"{}\n", "x\n".repeat(100));
    let much_open = format!("a,b\n1,\"{}\n", "x\n".repeat(1 << 20));
    for (bytes, expected) in [
        (&b""[..], Some("empty_file")),
        (b"\r\n\r\n", Some("empty_file")),
        (b"\xEF\xBB\xBF", Some("empty_file")),
        (b"a,b", Some("no_rows")),
        (b"a,b\r\n\r\n", Some("no_rows")),
        (b"a,b,a\n1,2,3", Some("duplicate_header")),
        (b"a, b ,b\n1,2,3", Some("duplicate_header")),
        (b"a,,b\n1,2,3", Some("blank_header")),
        (b"a,b,\n1,2,", Some("blank_header")),
        (b"a,b\n1,\0", Some("nul_byte")),
        (&utf16("a,b\n1,2", false, false), Some("nul_byte")),
        (open.as_bytes(), Some("unclosed_quote")),
        (b"a,b\n1,\"", Some("unclosed_quote")),
        (much_open.as_bytes(), Some("row_too_long")),
        (long.as_bytes(), Some("row_too_long")),
        (b"a,b\n1,2", None),
        (b"a,b\n1\n1,2,3", None),
        (b"a,b\n1,\"\"", None),
    ] {
        let start = String::from_utf8_lossy(&bytes[..bytes.len().min(40)]).into_owned();
        assert_eq!(problem(bytes).as_deref(), expected, "{start:?}");
    }
    let found = profile(&[long.as_bytes()]);
    assert_eq!((found.row_count, found.byte_count), (1, long.len() as u64));
}

#[test]
fn encodings_and_delimiters_are_recognized() {
    let text = "Name;Stadt\nJürgen;Köln\nÅsa;Malmö 😀\n";
    let latin: Vec<u8> = text.replace('😀', "x").chars().map(|c| c as u8).collect();
    for (bytes, encoding) in [
        (text.as_bytes().to_vec(), Encoding::Utf8),
        (format!("\u{feff}{text}").into_bytes(), Encoding::Utf8),
        (utf16(text, false, true), Encoding::Utf16Le),
        (utf16(text, true, true), Encoding::Utf16Be),
        (latin, Encoding::Windows1252),
    ] {
        let found = profile(&[&bytes]);
        let expected = Dialect {
            encoding,
            delimiter: b';',
        };
        assert_eq!(found.dialect, expected);
        assert_eq!(found.header, ["Name", "Stadt"], "{encoding:?}");
        assert_eq!((found.row_count, found.problem), (2, None));
        let ((rows, fault), ends) = rows_of(&[&bytes], found.dialect, 0);
        assert_eq!(rows[1], ["Jürgen", "Köln"]);
        assert_eq!(rows[2][0], "Åsa");
        assert_eq!((fault, ends[0]), (None, found.body_at));
        assert_eq!(*ends.last().unwrap(), bytes.len() as u64);
    }
    for (text, delimiter) in [
        ("a,b\n1,2", b','),
        ("a\tb\n1\t2", b'\t'),
        ("a|b\n1|2", b'|'),
        ("a\n1", b','),
        ("a;b\n1,5;2,5\n1,5;3,0", b';'),
        ("name,note\nx,1;2;3\ny,4;5;6", b','),
    ] {
        assert_eq!(
            profile(&[text.as_bytes()]).dialect.delimiter,
            delimiter,
            "{text}"
        );
    }
}

#[test]
fn records_as_rfc_4180_has_them() {
    for (text, rows) in [
        ("a,b\r\nc,d\r\n", &[&["a", "b"][..], &["c", "d"]][..]),
        ("a,b\rc,d", &[&["a", "b"], &["c", "d"]]),
        ("a,b\n\n\r\nc,d\n", &[&["a", "b"], &["c", "d"]]),
        ("a,\"b\nc\"\n", &[&["a", "b\nc"]]),
        ("a,\"b \"\"c\"\"\"\n", &[&["a", "b \"c\""]]),
        ("a,b \"c\" d\n", &[&["a", "b \"c\" d"]]),
        ("a,\"b\" c\n", &[&["a", "b c"]]),
        (",\n", &[&["", ""]]),
        ("\"\"\n", &[&[""]]),
        ("\u{feff}\u{feff}a,b", &[&["\u{feff}a", "b"]]),
    ] {
        let ((found, fault), _) = rows_of(&[text.as_bytes()], Dialect::default(), 0);
        assert_eq!(
            (found, fault),
            (
                rows.iter()
                    .map(|r| r.iter().map(|c| (*c).to_owned()).collect())
                    .collect(),
                None
            ),
            "{text:?}"
        );
    }
}

fn files() -> impl Strategy<Value = (Vec<u8>, Dialect)> {
    let cell = "[a-c\"\\r\\n,;é€😀\u{feff} ]{0,6}|\"[^\"\u{0}]{0,6}\"";
    let rows = prop::collection::vec(prop::collection::vec(cell, 1..4), 0..6);
    let ends = prop::sample::select(vec!["\n", "\r\n", "\r"]);
    let encodings = prop::sample::select(vec![
        Encoding::Utf8,
        Encoding::Utf16Le,
        Encoding::Utf16Be,
        Encoding::Windows1252,
    ]);
    (rows, ends, encodings, any::<bool>()).prop_map(|(rows, end, encoding, mark)| {
        let lines: Vec<String> = rows.iter().map(|cells| cells.join(",")).collect();
        let text = lines.join(end);
        let bytes = match encoding {
            Encoding::Utf16Le => utf16(&text, false, mark),
            Encoding::Utf16Be => utf16(&text, true, mark),
            Encoding::Utf8 if mark => format!("\u{feff}{text}").into_bytes(),
            Encoding::Utf8 => text.into_bytes(),
            Encoding::Windows1252 => encoding_rs::WINDOWS_1252.encode(&text).0.into_owned(),
        };
        (
            bytes,
            Dialect {
                encoding,
                delimiter: b',',
            },
        )
    })
}

proptest! {
    #[test]
    fn any_split_gives_the_same_rows((bytes, dialect) in files(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6)) {
        let whole = rows_of(&[&bytes], dialect, 0);
        let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        at.sort_unstable();
        let mut pieces = Vec::new();
        let mut begin = 0;
        for cut in at.into_iter().chain([bytes.len()]) {
            pieces.push(&bytes[begin..cut]);
            begin = cut;
        }
        prop_assert_eq!(&rows_of(&pieces, dialect, 0), &whole);
        prop_assert_eq!(profile(&pieces), profile(&[&bytes]));
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        prop_assert_eq!(rows_of(&single, dialect, 0), whole);
    }

    #[test]
    fn reading_goes_on_at_any_end((bytes, dialect) in files()) {
        let ((rows, fault), ends) = rows_of(&[&bytes], dialect, 0);
        for (index, end) in ends.iter().enumerate() {
            let ((rest, rest_fault), rest_ends) = rows_of(&[&bytes[*end as usize..]], dialect, *end);
            prop_assert_eq!(&rest, &rows[index + 1..]);
            prop_assert_eq!(rest_fault, fault);
            prop_assert_eq!(&rest_ends, &ends[index + 1..]);
        }
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let found = profile(&[&bytes]);
        rows_of(&[&bytes], found.dialect, 0);
    }
}
