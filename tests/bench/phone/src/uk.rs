//! What people write instead: strip everything but digits, then rules for UK prefixes. It checks nothing.

use regex::Regex;

pub struct Normaliser {
    noise: Regex,
    shape: Regex,
}

impl Normaliser {
    pub fn new() -> Self {
        Self {
            noise: Regex::new(r"[^0-9+]").expect("a literal pattern"),
            shape: Regex::new(r"^(?:\+44|0044|44|0)0?([0-9]{9,10})$").expect("a literal pattern"),
        }
    }

    pub fn to_e164(&self, input: &str) -> Option<String> {
        let digits = self.noise.replace_all(input, "");
        let national = self.shape.captures(&digits)?;
        Some(format!("+44{}", &national[1]))
    }
}
