use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};
use unicode_normalization::is_nfc;

use super::*;

/// What every compiled prompt must be.
fn assert_sound(compiled: &Compiled) {
    let text = &compiled.text;
    assert!(
        text.ends_with('\n') && !text.ends_with("\n\n"),
        "one newline at the end"
    );
    assert!(is_nfc(text) && !text.contains('\r'));
    let mut position = 0;
    for span in &compiled.spans {
        assert_eq!(
            span.start, position,
            "spans leave no gap and do not overlap"
        );
        assert!(span.end > span.start && text.is_char_boundary(span.end));
        position = span.end;
    }
    assert_eq!(position, text.len(), "spans reach the end");
    assert_eq!(
        compiled.token_estimate,
        i32::try_from(text.len().div_ceil(4)).expect("small")
    );
    assert!(text.ends_with(&format!("## Safety\n\n{SAFETY}\n")));
}

fn compiled(structure: &Value, lessons: &Value, options: &Value) -> Compiled {
    let [structure, lessons, options] = [structure, lessons, options].map(Value::to_string);
    let compiled = compile(&structure, &lessons, &options).expect("compiles");
    assert_sound(&compiled);
    compiled
}

fn refusal(structure: &Value, lessons: &Value, options: &Value) -> String {
    let [structure, lessons, options] = [structure, lessons, options].map(Value::to_string);
    compile(&structure, &lessons, &options)
        .expect_err("is refused")
        .to_string()
}

fn lesson(id: &str, lesson_type: &str, priority: i64) -> Value {
    json!({
        "id": id, "lesson_type": lesson_type, "status": "active", "priority": priority,
        "title": format!("Lesson {id}"), "created_at": "2025-01-01T00:00:00+00:00",
    })
}

#[derive(Deserialize)]
struct Case {
    name: String,
    structure: Value,
    lessons: Value,
    options: Value,
    text: Option<String>,
    sha256: Option<String>,
    dropped: Option<Value>,
    warnings: Option<Value>,
    spans: Option<Value>,
    error: Option<String>,
}

#[test]
fn vectors() {
    let cases: Vec<Case> =
        serde_json::from_str(include_str!("../../../../tests/vectors/prompts.json"))
            .expect("prompts.json holds cases of this shape");
    for case in &cases {
        let [structure, lessons, options] =
            [&case.structure, &case.lessons, &case.options].map(Value::to_string);
        let result = compile(&structure, &lessons, &options);
        assert_eq!(
            result.as_ref().err().map(ToString::to_string),
            case.error,
            "{}",
            case.name
        );
        let Ok(found) = result else { continue };
        assert_sound(&found);
        assert_eq!(Some(&found.text), case.text.as_ref(), "{}", case.name);
        assert_eq!(Some(&found.sha256), case.sha256.as_ref(), "{}", case.name);
        for (json, expected) in [
            (found.spans_json(), &case.spans),
            (found.dropped_json(), &case.dropped),
            (found.warnings_json(), &case.warnings),
        ] {
            let json: Value = serde_json::from_str(&json).expect("our own JSON");
            assert_eq!(Some(&json), expected.as_ref(), "{}", case.name);
        }
    }
    assert!(cases.len() >= 10, "{} cases", cases.len());
}

#[test]
fn sections_stand_in_their_order_whatever_the_order_of_keys() {
    let section = |content: &str| json!({ "content": content });
    let structure = json!({
        "boundaries": section("B"), "zebra": section("Z"), "examples": section("E"),
        "objections": section("O"), "alpha": section("A"), "knowledge": section("K"),
        "later": { "content": "L", "position": 2 }, "sooner": { "content": "S", "position": -1 },
        "tone": section("T"), "goal": section("G"), "context": section("C"),
    });
    let text = compiled(&structure, &json!([]), &json!({})).text;
    let headings: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .collect();
    assert_eq!(
        headings,
        [
            "Context",
            "Goal",
            "Tone",
            "Knowledge",
            "Objections",
            "Sooner",
            "Later",
            "Alpha",
            "Zebra",
            "Examples",
            "Boundaries",
            "Safety"
        ]
    );
}

#[test]
fn a_lesson_opens_its_section_and_an_empty_section_has_no_heading() {
    let structure = json!({ "tone": { "content": "  " }, "goal": { "content": "Book." } });
    let text = compiled(
        &structure,
        &json!([lesson("1", "never_rule", 0)]),
        &json!({}),
    )
    .text;
    assert!(text.contains("## Boundaries\n\n- Lesson 1\n"), "{text}");
    assert!(!text.contains("## Tone"), "{text}");
}

#[test]
fn lessons_are_ordered_by_priority_then_age_then_id() {
    let at = |id: &str, priority: i64, created_at: &str| {
        let mut lesson = lesson(id, "dos_donts", priority);
        lesson["created_at"] = json!(created_at);
        lesson
    };
    let lessons = json!([
        at("d", 1, "2025-10-26T01:30:00+00:00"),
        at("c", 1, "2025-10-26T01:45:00+01:00"),
        at("b", 1, "2025-10-26T01:30:00Z"),
        at("a", 9, "2026-01-01T00:00:00Z"),
    ]);
    let text = compiled(&json!({}), &lessons, &json!({})).text;
    let order: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("- Lesson "))
        .collect();
    assert_eq!(order, ["a", "c", "b", "d"]);
}

#[test]
fn testing_lessons_are_for_drafts_and_archived_ones_for_nobody() {
    let with = |status: &str| {
        let mut lesson = lesson(status, "dos_donts", 0);
        lesson["status"] = json!(status);
        lesson
    };
    let lessons = json!([with("active"), with("testing"), with("archived")]);
    let shown = |draft: bool| {
        let text = compiled(&json!({}), &lessons, &json!({ "draft": draft })).text;
        ["active", "testing", "archived"].map(|status| text.contains(&format!("Lesson {status}")))
    };
    assert_eq!(shown(false), [true, false, false]);
    assert_eq!(shown(true), [true, true, false]);
}

#[test]
fn a_short_budget_gives_up_examples_first_and_boundaries_never() {
    let types = [
        "never_rule",
        "example_good",
        "best_practice",
        "objection_handling",
        "example_bad",
        "dos_donts",
    ];
    let lessons: Vec<Value> = types
        .iter()
        .flat_map(|kind| {
            [(9, "high"), (1, "low")].map(|(p, n)| lesson(&format!("{kind} {n}"), kind, p))
        })
        .collect();
    let lessons = json!(lessons);
    let full = compiled(&json!({}), &lessons, &json!({ "token_budget": 4000 }));
    assert!(full.dropped.is_empty() && full.warnings.iter().all(|w| w.code != "lessons_dropped"));

    let expected = [
        "example_good low",
        "example_bad low",
        "example_good high",
        "example_bad high",
        "best_practice low",
        "best_practice high",
        "objection_handling low",
        "objection_handling high",
    ];
    let mut seen = 0;
    for budget in (1..full.token_estimate).rev() {
        let options = json!({ "token_budget": budget });
        let Ok(compiled) = compile("{}", &lessons.to_string(), &options.to_string()) else {
            assert_eq!(
                seen,
                expected.len(),
                "refused before everything was given up"
            );
            let message = refusal(&json!({}), &lessons, &options);
            assert!(message.contains("options.token_budget"), "{message}");
            return;
        };
        assert_sound(&compiled);
        assert!(compiled.token_estimate <= budget);
        let ids: Vec<&str> = compiled
            .dropped
            .iter()
            .map(|d| d.lesson_id.as_str())
            .collect();
        assert_eq!(ids, expected[..ids.len()]);
        assert!(ids.len() >= seen, "a smaller budget never keeps more");
        assert!(
            compiled
                .warnings
                .iter()
                .any(|w| w.code == "lessons_dropped")
        );
        seen = ids.len();
    }
    panic!("the smallest budget must be refused");
}

#[test]
fn no_more_is_given_up_than_needed() {
    let lessons: Vec<Value> = (0..40)
        .map(|i| lesson(&format!("{i:02}"), "best_practice", -i))
        .collect();
    let lessons = json!(lessons);
    let full = compiled(&json!({}), &lessons, &json!({})).token_estimate;
    for given_up in 1..40 {
        let budget = full - 3 * given_up;
        let options = json!({ "token_budget": budget });
        let fits = compiled(&json!({}), &lessons, &options);
        // One lesson is 12 bytes, three tokens.
        assert_eq!(
            fits.dropped.len(),
            usize::try_from(given_up).expect("positive")
        );
    }
}

#[test]
fn variables_are_kept_as_written_and_undeclared_ones_refused_together() {
    let structure = json!({
        "goal": { "content": "Call {{ lead.first_name }} for {{ org.name|upper }}. {% if booking_link %}Send {{ booking_link }}{% endif %}" },
    });
    let text = compiled(&structure, &json!([]), &json!({})).text;
    assert!(
        text.contains("Call {{ lead.first_name }} for {{ org.name|upper }}."),
        "{text}"
    );

    let structure = json!({ "goal": { "content": "{{ led.name }} {{ lead }}" } });
    let mut taught = lesson("1", "dos_donts", 0);
    taught["correct_response"] = json!("Hello {{ nobody }}");
    assert_eq!(
        refusal(&structure, &json!([taught]), &json!({})),
        "undeclared variables: lead (in structure.goal.content), led.name (in structure.goal.content), \
         nobody (in lessons[0].correct_response)"
    );
    let options = json!({ "variables": ["led.name", "lead", "nobody.*"] });
    assert_eq!(
        refusal(&structure, &json!([taught]), &options),
        "undeclared variables: nobody (in lessons[0].correct_response)"
    );
    // A lesson that is not compiled may hold anything.
    taught["status"] = json!("archived");
    compiled(&structure, &json!([taught]), &options);
}

#[test]
fn statements_that_reach_other_templates_do_not_exist() {
    for statement in [
        "{% include 'x' %}",
        "{% import 'x' as y %}",
        "{% from 'x' import y %}",
        "{% extends 'x' %}",
        "{% macro f() %}{% endmacro %}",
        "{% block b %}{% endblock %}",
        "{% call f() %}{% endcall %}",
        "{% if lead.x %}never closed",
        "{{ lead.x",
    ] {
        let structure = json!({ "goal": { "content": format!("First line\n{statement}") } });
        let message = refusal(&structure, &json!([]), &json!({}));
        assert!(
            message.starts_with("structure.goal.content, line 2: "),
            "{statement}: {message}"
        );
    }
}

/// Each of these overflows the stack of the template engine when it is long enough.
#[test]
fn deep_templates_are_an_error_and_not_an_overflow() {
    for (start, repeated, end) in [
        ("{{ ", "(", ""),
        ("{{ ", "[", ""),
        ("{{ ", "-", "1 }}"),
        ("{{ ", "not ", "x }}"),
        ("{{ x", "+x", " }}"),
        ("{{ x", " and x", " }}"),
        ("{{ x", "~'}}'", " }}"),
        ("{{ x", "~'{{'", " }}"),
        ("{{ (", "}} {{ (", ""),
        ("{{ {'a':{'b':1}}", "+x", " }}"),
        ("{% if x %}", "{% elif x %}", "{% endif %}"),
        ("", "{% if x %}", ""),
        ("{% raw %}{{ ' {% endraw %}{{ x", "+x", " }}{# ' #}"),
    ] {
        for count in [400, 20_000] {
            let content = format!("{start}{}{end}", repeated.repeat(count));
            let structure = json!({ "goal": { "content": content } }).to_string();
            let options = json!({ "variables": ["x"], "token_budget": 100_000 }).to_string();
            if let Err(error) = compile(&structure, "[]", &options) {
                assert!(
                    error
                        .to_string()
                        .starts_with("structure.goal.content, line 1"),
                    "{error}"
                );
            } else {
                assert_eq!(count, 400, "{start}{repeated}");
            }
        }
    }
    let nested = "[".repeat(100_000);
    assert!(matches!(
        compile(&nested, "[]", "{}"),
        Err(PromptError::Json { .. })
    ));
}

#[test]
fn shape_errors_name_the_path() {
    let lesson = lesson("1", "dos_donts", 0);
    let with = |key: &str, value: Value| {
        let mut lesson = lesson.clone();
        lesson[key] = value;
        json!([lesson])
    };
    let long = "k".repeat(64);
    for (structure, lessons, options, start) in [
        (json!([]), json!([]), json!({}), "structure: must be"),
        (
            json!({ "goal": "Book." }),
            json!([]),
            json!({}),
            "structure.goal: must be an object",
        ),
        (
            json!({ "goal": {} }),
            json!([]),
            json!({}),
            "structure.goal.content: is missing",
        ),
        (
            json!({ "goal": { "content": 7 } }),
            json!([]),
            json!({}),
            "structure.goal.content: must",
        ),
        (
            json!({ "goal": { "x": 1 } }),
            json!([]),
            json!({}),
            "structure.goal: \"x\" is no key",
        ),
        (
            json!({ "goal": { "content": "", "title": "Aim" } }),
            json!([]),
            json!({}),
            "structure.goal: \"title\" is no key",
        ),
        (
            json!({ "goal": { "content": "", "source": "system" } }),
            json!([]),
            json!({}),
            "structure.goal.source: system is reserved",
        ),
        (
            json!({ "Goal": { "content": "" } }),
            json!([]),
            json!({}),
            "structure: \"Goal\" is no",
        ),
        (
            json!({ "safety": { "content": "" } }),
            json!([]),
            json!({}),
            "structure: \"safety\" is",
        ),
        (
            json!({ long: { "content": "" } }),
            json!([]),
            json!({}),
            "structure: \"kkkk",
        ),
        (
            json!({ "own": { "content": "", "position": 1.5 } }),
            json!([]),
            json!({}),
            "structure.own.position: must be a whole",
        ),
        (
            json!({ "own": { "content": "", "title": "a\nb" } }),
            json!([]),
            json!({}),
            "structure.own.title: must be one line",
        ),
        (json!({}), json!({}), json!({}), "lessons: must be an array"),
        (
            json!({}),
            json!([1]),
            json!({}),
            "lessons[0]: must be an object",
        ),
        (
            json!({}),
            json!([lesson, lesson]),
            json!({}),
            "lessons[1].id: is used twice",
        ),
        (
            json!({}),
            with("id", json!(null)),
            json!({}),
            "lessons[0].id: is missing",
        ),
        (
            json!({}),
            with("tags", json!([])),
            json!({}),
            "lessons[0]: \"tags\" is no key",
        ),
        (
            json!({}),
            with("lesson_type", json!("rule")),
            json!({}),
            "lessons[0].lesson_type: must be",
        ),
        (
            json!({}),
            with("status", json!("live")),
            json!({}),
            "lessons[0].status: must be active",
        ),
        (
            json!({}),
            with("priority", json!("1")),
            json!({}),
            "lessons[0].priority: must be a whole",
        ),
        (
            json!({}),
            with("created_at", json!("now")),
            json!({}),
            "lessons[0].created_at: must be",
        ),
        (
            json!({}),
            json!([]),
            json!({ "budget": 1 }),
            "options: \"budget\" is no key",
        ),
        (
            json!({}),
            json!([]),
            json!({ "token_budget": 0 }),
            "options.token_budget: must be between",
        ),
        (
            json!({}),
            json!([]),
            json!({ "draft": "yes" }),
            "options.draft: must be true or false",
        ),
        (
            json!({}),
            json!([]),
            json!({ "variables": ["a", "b c"] }),
            "options.variables[1]: must be",
        ),
    ] {
        let message = refusal(&structure, &lessons, &options);
        assert!(
            message.starts_with(start),
            "{message} does not start with {start}"
        );
    }
}

#[test]
fn arguments_are_limited() {
    let large = json!({ "goal": { "content": "x".repeat(MAX_STRUCTURE_BYTES) } }).to_string();
    assert!(matches!(
        compile(&large, "[]", "{}"),
        Err(PromptError::TooLarge {
            argument: "structure",
            limit: MAX_STRUCTURE_BYTES,
        })
    ));
    assert!(matches!(
        compile("{", "[]", "{}"),
        Err(PromptError::Json {
            argument: "structure",
            ..
        })
    ));
}

#[test]
fn spelling_of_the_same_text_does_not_change_the_bytes() {
    let of = |content: &str| {
        compiled(
            &json!({ "goal": { "content": content } }),
            &json!([]),
            &json!({}),
        )
        .sha256
    };
    assert_eq!(
        of("Caf\u{e9}\nbar"),
        of("\u{feff}Cafe\u{301}\r\nbar \n".trim_start_matches('\u{feff}'))
    );
    assert_ne!(of("Café"), of("Cafe"));
}

/// JSON that looks like the arguments often enough to get past the first check.
fn json_like() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        proptest::sample::select(vec![
            "active",
            "never_rule",
            "example_good",
            "{{ lead.x }}",
            "{% x"
        ])
        .prop_map(Value::from),
    ];
    let key = prop_oneof![
        proptest::sample::select(vec![
            "context",
            "goal",
            "content",
            "source",
            "why",
            "title",
            "position",
            "id",
            "lesson_type",
            "status",
            "priority",
            "created_at",
            "token_budget",
            "draft",
            "variables",
        ])
        .prop_map(str::to_owned),
        ".{0,6}",
    ];
    leaf.prop_recursive(3, 32, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::hash_map(key.clone(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn valid_structure() -> impl Strategy<Value = Value> {
    let key = prop_oneof![
        proptest::sample::select(vec![
            "context",
            "goal",
            "tone",
            "objections",
            "examples",
            "boundaries"
        ])
        .prop_map(str::to_owned),
        "[a-z][a-z0-9_]{0,8}".prop_filter("reserved", |key| key != "safety" && key != "system"),
    ];
    // Marks that combine with what stands before them, line ends of all kinds, controls.
    let content = "([a-zé\u{301}\u{338}\r\n\t \u{1}=<-]|\\PC){0,40}"
        .prop_map(|text| text.replace(['{', '}'], ""));
    proptest::collection::hash_map(key, (content, proptest::option::of("[a-z]{0,6}")), 0..8)
        .prop_map(|sections| {
            let section = |(content, why)| json!({ "content": content, "why": why });
            Value::Object(
                sections
                    .into_iter()
                    .map(|(key, value)| (key, section(value)))
                    .collect(),
            )
        })
}

fn valid_lessons() -> impl Strategy<Value = Value> {
    let kind = proptest::sample::select(vec![
        "objection_handling",
        "dos_donts",
        "best_practice",
        "example_good",
        "example_bad",
        "never_rule",
        "blacklist_word",
    ]);
    let text = || "[a-z\u{301}\u{338}\n ]{0,12}";
    proptest::collection::vec((kind, text(), text(), -3..3i64), 0..12).prop_map(|lessons| {
        lessons
            .into_iter()
            .enumerate()
            .map(|(id, (kind, title, say, priority))| {
                json!({
                    "id": id.to_string(), "lesson_type": kind, "status": "active", "title": title,
                    "correct_response": say, "priority": priority,
                })
            })
            .collect()
    })
}

proptest! {
    #[test]
    fn spans_tile_and_bytes_repeat(structure in valid_structure(), lessons in valid_lessons(), budget in 150..600) {
        let texts = [structure.to_string(), lessons.to_string(), json!({ "token_budget": budget }).to_string()];
        let [structure, lessons, options] = &texts;
        let first = compile(structure, lessons, options);
        prop_assert_eq!(&first, &compile(structure, lessons, options));
        match first {
            Ok(compiled) => {
                assert_sound(&compiled);
                prop_assert!(compiled.token_estimate <= budget);
            }
            Err(error) => prop_assert!(matches!(error, PromptError::OverBudget { .. }), "{error}"),
        }
    }

    #[test]
    fn the_order_of_lessons_in_the_argument_does_not_matter(lessons in valid_lessons()) {
        let mut reversed = lessons.as_array().expect("an array").clone();
        reversed.reverse();
        let compile = |lessons: &Value| compile("{}", &lessons.to_string(), "{}").map(|c| c.sha256);
        prop_assert_eq!(compile(&lessons), compile(&Value::from(reversed)));
    }

    #[test]
    fn any_json_compiles_or_is_refused(structure in json_like(), lessons in json_like(), options in json_like()) {
        let texts = [structure, lessons, options].map(|value| value.to_string());
        for [a, b, c] in [[0, 1, 2], [1, 0, 2], [2, 2, 2]] {
            if let Ok(compiled) = compile(&texts[a], &texts[b], &texts[c]) {
                assert_sound(&compiled);
            }
            let _ = compile(&texts[a], "[]", "{}");
            let _ = compile("{}", &texts[b], "{}");
        }
    }

    #[test]
    fn any_text_is_no_panic(text in "(?s).{0,80}") {
        let _ = compile(&text, &text, &text);
        let structure = json!({ "goal": { "content": text } }).to_string();
        let _ = compile(&structure, "[]", "{}");
    }
}
