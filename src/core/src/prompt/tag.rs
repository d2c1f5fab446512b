//! A guard in front of the template engine, whose parser turns `a+a+a+…` into a tree as deep as it is long and then
//! walks it recursively: some 20,000 operators overflow the stack, and a stack overflow takes the whole database
//! server down. What passes here is small enough tag by tag, and no text can pass that the engine would split into
//! tags differently.

/// Longest tag, in bytes. Its tree is at most that deep; a real one rarely has a hundred.
const MAX_TAG_BYTES: usize = 500;

/// Most tags of one text, for a chain of `elif` is as deep as it is long.
const MAX_TAGS: usize = 500;

/// Whether `text` holds template syntax at all.
pub(super) fn has_tags(text: &str) -> bool {
    next_tag(text).is_some()
}

/// Refuses what is not plain: the byte offset of the tag, and the rule it breaks.
///
/// Plain means: no braces inside a tag but in a quoted text (so that the first `}}` or `%}` outside quotes ends it, to
/// the engine as well), no `raw` blocks, and the limits above.
pub(super) fn check_plain(text: &str) -> Result<(), (usize, &'static str)> {
    let mut position = 0;
    let mut tags = 0;
    while let Some(found) = next_tag(&text[position..]) {
        let start = position + found;
        let inside = &text[start + 2..];
        tags += 1;
        if tags > MAX_TAGS {
            return Err((start, "more than 500 tags in one text"));
        }
        let length = match text.as_bytes()[start + 1] {
            b'#' => inside.find("#}").map(|end| end + 2),
            kind => {
                let statement = inside.trim_start_matches(['-', '+']).trim_start();
                if kind == b'%' && statement.starts_with("raw") {
                    return Err((start, "raw blocks are not supported"));
                }
                tag_length(inside.as_bytes(), kind).map_err(|rule| (start, rule))?
            }
        };
        match length {
            Some(length) => position = start + 2 + length,
            None => return Err((start, "a tag is not closed")),
        }
    }
    Ok(())
}

/// Offset of the next `{{`, `{%` or `{#`.
fn next_tag(text: &str) -> Option<usize> {
    text.as_bytes()
        .windows(2)
        .position(|pair| pair[0] == b'{' && matches!(pair[1], b'{' | b'%' | b'#'))
}

/// Length of a tag's inside with its end; `None` when it has none.
fn tag_length(inside: &[u8], kind: u8) -> Result<Option<usize>, &'static str> {
    let last = if kind == b'{' { b'}' } else { kind };
    let mut quote = None;
    let mut escaped = false;
    for (index, &byte) in inside.iter().enumerate() {
        if index > MAX_TAG_BYTES {
            return Err("a tag is longer than 500 bytes");
        }
        match (quote, byte) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), b'\\') => escaped = true,
            (Some(open), _) if byte == open => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, _) if byte == last && inside.get(index + 1) == Some(&b'}') => {
                return Ok(Some(index + 2));
            }
            (None, b'{' | b'}') => return Err("braces inside a tag are not supported"),
            (None, _) => {}
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::check_plain;

    #[test]
    fn plain_templates_pass() {
        for text in [
            "",
            "no tag, { brace } and 50 % } off",
            "{{ lead.first_name|default('friend') }} {%- if org.name -%} x {%- endif %}{# note {{ }} #}",
            r#"{{ "}} {{ \" '" ~ '{% %}' }}"#,
        ] {
            assert_eq!(check_plain(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused_where_it_starts() {
        let long = format!("ab {{{{ {} }}}}", "x+".repeat(250));
        let many = "{{ x }}".repeat(501);
        for (text, offset, rule) in [
            (long.as_str(), 3, "a tag is longer than 500 bytes"),
            (many.as_str(), 3500, "more than 500 tags in one text"),
            ("{{ {'a': 1} }}", 0, "braces inside a tag are not supported"),
            ("{% if x }} %}", 0, "braces inside a tag are not supported"),
            (
                "{%- raw %}{{ x }}{% endraw %}",
                0,
                "raw blocks are not supported",
            ),
            ("ok {{ x", 3, "a tag is not closed"),
            ("ok {# x", 3, "a tag is not closed"),
            ("{{ 'x }}", 0, "a tag is not closed"),
            (r"{{ '\' }}", 0, "a tag is not closed"),
        ] {
            assert_eq!(check_plain(text), Err((offset, rule)), "{text:.40}");
        }
    }
}
