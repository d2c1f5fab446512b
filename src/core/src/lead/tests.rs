use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

fn read(row: &str, options: &Value) -> Lead {
    let options = Options::parse(&options.to_string()).expect("options");
    LeadReader::new(options).of_json(row)
}

fn reasons(lead: &Lead) -> Vec<&'static str> {
    lead.problems.iter().map(|problem| problem.reason).collect()
}

#[test]
fn fields_are_cleaned_and_typed_and_the_rest_is_kept() {
    let row = json!({
        "first_name": "\u{feff} Ada\u{a0}", "Mobile": "=\"07700900123\"", "email": "'ada", "inquiry_date": "29/02/2024",
        "kW": 4.50, "Roof": "'=slate", "Empty": " ", "Nothing": null, "ok": true
    });
    let mut lead = read(
        &row.to_string(),
        &json!({"country": "GB", "mapping": {"Mobile": "phone_number"}}),
    );
    assert_eq!(reasons(&lead), ["invalid_email"]);
    assert_eq!(lead.take(Field::FirstName).as_deref(), Some("Ada"));
    assert_eq!(lead.phone_number.as_deref(), Some("+447700900123"));
    let day = Date {
        year: 2024,
        month: 2,
        day: 29,
    };
    assert_eq!(lead.inquiry_date, Some(day));
    let attributes: Value = serde_json::from_str(&lead.attributes).expect("JSON");
    assert_eq!(attributes, json!({"kW": 4.5, "Roof": "=slate", "ok": true}));
}

#[test]
fn each_limit_has_its_reason() {
    for (row, expected) in [
        (
            json!({"first_name": "x".repeat(201)}),
            &["required", "too_long"][..],
        ),
        (
            json!({"first_name": "é".repeat(200), "phone_number": "07700 900123"}),
            &[],
        ),
        (
            json!({"first_name": "A", "phone_number": "07700 900123", "a": "x".repeat(40_000), "b": "y".repeat(40_000)}),
            &["attributes_too_long"],
        ),
        (
            json!({"first_name": "A", "phone_number": "07700 900123", "a": "x".repeat(70_000)}),
            &["too_long"],
        ),
        (
            json!({"first_name": [], "phone_number": ""}),
            &["not_a_text", "required"],
        ),
        (json!("text"), &["not_an_object"]),
    ] {
        let lead = read(
            &row.to_string(),
            &json!({"country": "GB", "required_fields": ["first_name", "phone_number"]}),
        );
        let mut found = reasons(&lead);
        found.sort_unstable();
        assert_eq!(
            found,
            expected,
            "{}",
            row.to_string().chars().take(60).collect::<String>()
        );
    }
}

#[test]
fn options_are_checked() {
    for options in [
        "[]",
        r#"{"mapping": {"x": "no_field"}}"#,
        r#"{"mapping": {"x": 7}}"#,
        r#"{"mapping": {"x": "email", "y": "email"}}"#,
        r#"{"required_fields": ["age"]}"#,
        r#"{"allow_international": "yes"}"#,
        r#"{"delimiter": "x"}"#,
        r#"{"no_such": 1}"#,
    ] {
        assert!(Options::parse(options).is_err(), "{options}");
    }
}

proptest! {
    #[test]
    fn a_record_and_an_object_say_the_same(cells in prop::collection::vec("[ -~é\u{a0}]{0,20}", 4)) {
        let header = ["first_name", "phone_number", "email", "Roof"];
        let options = json!({"country": "GB", "header": header, "required_fields": ["first_name"]});
        let reader = LeadReader::new(Options::parse(&options.to_string()).expect("options"));
        let object: Value = header.iter().zip(&cells).map(|(name, cell)| ((*name).to_owned(), json!(cell))).collect();
        let record = reader.of_record(cells.iter().map(|cell| cell.as_str().into()));
        prop_assert_eq!(&record, &reader.of_json(&object.to_string()));
        prop_assert!(serde_json::from_str::<Value>(&record.attributes).is_ok());
    }

    #[test]
    fn no_row_panics(text in "\\PC{0,80}", quoted in "\\PC{0,40}") {
        read(&text, &json!({}));
        read(&json!({"phone_number": quoted, "inquiry_date": text, "x": quoted}).to_string(), &json!({}));
    }
}
