//! SQL surface of what bounds JSON values.

use crate::pg::json::Json;
use pgrx::pg_extern;

/// Whether the value, printed as text, has at most that many bytes. For CHECK constraints and RPC bodies: adds up lengths
/// and prints nothing, so `[1e131071, 1e131071, …]` costs no more than what is stored of it. Never raises.
#[pg_extern(immutable, parallel_safe, strict, cost = 1)]
fn json_is_bounded(value: Json, bytes: i32) -> bool {
    usize::try_from(bytes).is_ok_and(|most| value.printed(most).is_some())
}

#[cfg(any(test, feature = "pg_test"))]
#[pgrx::pg_schema]
#[allow(clippy::disallowed_methods)] // tests may write
mod tests {
    use pgrx::prelude::*;

    /// Values of every kind and depth, chosen by a generator of our own so that a failure can be repeated.
    struct Random(u64);

    impl Random {
        fn below(&mut self, bound: u64) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0 % bound
        }

        fn string(&mut self) -> String {
            const PARTS: [&str; 14] = [
                "", "a", "é", "€", "😀", "\\\"", "\\\\", "/", "\\b", "\\f\\n", "\\r\\t", "\\u0001",
                "\\u001f", "\\u007f",
            ];
            let parts: String = (0..self.below(6))
                .map(|_| PARTS[self.below(14) as usize])
                .collect();
            format!("\"{parts}\"")
        }

        fn number(&mut self) -> String {
            let sign = ["", "-"][self.below(2) as usize];
            let mut digits = |most: u64| -> String {
                (0..=self.below(most))
                    .map(|_| char::from(b'0' + self.below(10) as u8))
                    .collect()
            };
            let (whole, fraction) = (digits(30), digits(90));
            let whole = match whole.trim_start_matches('0') {
                "" => "0",
                whole => whole,
            };
            let exponent = self.below(600) as i64 - 300;
            match self.below(5) {
                0 => format!("{sign}{}", self.below(10)),
                1 => format!("{sign}{whole}"),
                2 => format!("{sign}{whole}.{fraction}"),
                3 => format!("{sign}0.{fraction}e{exponent}"),
                _ => format!("{sign}{whole}.{fraction}e{exponent}"),
            }
        }

        fn value(&mut self, depth: u32) -> String {
            match self.below(if depth == 0 { 5 } else { 8 }) {
                0 => "null".to_owned(),
                1 => ["true", "false"][self.below(2) as usize].to_owned(),
                2 => self.string(),
                3 | 4 => self.number(),
                5 => {
                    let pairs: Vec<_> = (0..self.below(5))
                        .map(|_| format!("{}: {}", self.string(), self.value(depth - 1)))
                        .collect();
                    format!("{{{}}}", pairs.join(", "))
                }
                _ => {
                    let elements: Vec<_> =
                        (0..self.below(5)).map(|_| self.value(depth - 1)).collect();
                    format!("[{}]", elements.join(", "))
                }
            }
        }
    }

    #[pg_test]
    fn the_bound_is_the_length_of_the_text() {
        let mut random = Random(0x5377_6974_6368);
        let values: Vec<String> = (0..5_000).map(|_| random.value(5)).collect();
        let wrong = Spi::get_one_with_args::<String>(
            "select string_agg(left(v, 200), e'\\n')
             from unnest($1) as v
             cross join lateral (select octet_length(v::jsonb::text) as bytes) as length
             where not switchboard.json_is_bounded(v::jsonb, bytes) or switchboard.json_is_bounded(v::jsonb, bytes - 1)",
            &[values.into()],
        );
        assert_eq!(wrong, Ok(None));
    }

    #[pg_test]
    fn a_stored_value_is_measured_as_well() {
        let stored = Spi::get_one::<bool>(
            "create temporary table stored (value jsonb);
             alter table stored alter value set storage extended;
             insert into stored
                 select jsonb_agg(repeat('x', 100) || n) from generate_series(1, 20000) as n
                 union all select to_jsonb(repeat('x', 3000))
                 union all select '7';
             select bool_and(switchboard.json_is_bounded(value, octet_length(value::text))
                 and not switchboard.json_is_bounded(value, octet_length(value::text) - 1)
                 and not switchboard.json_is_bounded(value, 0)
                 and not switchboard.json_is_bounded(value, -1)) from stored",
        );
        assert_eq!(stored, Ok(Some(true)));
    }
}
