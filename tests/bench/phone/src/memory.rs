//! The first call of a process, and what it costs in memory of its own.

use std::{env, fs, hint::black_box, process::Command, time::Instant};

use switchboard_core::phone::{self, reference};

/// Names of the cases and what they call first.
const CASES: [(&str, &str); 3] = [
    ("fast", "an ordinary spelling"),
    ("regions", "an ordinary spelling of every region"),
    ("slow", "an Argentine 15 (builds the slow path)"),
];

pub fn report() {
    println!("\nfresh process, first call is…               µs    private kB");
    for (case, name) in CASES {
        let runs = (0..7).map(|_| {
            let executable = env::current_exe().expect("this program");
            let output = Command::new(executable)
                .arg(format!("fresh={case}"))
                .output()
                .expect("this program runs");
            let text = String::from_utf8(output.stdout).expect("figures");
            let mut figures = text
                .split_whitespace()
                .map(|f| f.parse::<f64>().expect("a figure"));
            (
                figures.next().expect("time"),
                figures.next().expect("memory"),
            )
        });
        let (taken, memory) = runs
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .expect("there are runs");
        println!("{name:<38}{taken:>8.1}{memory:>14.0}");
    }
}

/// In the child: microseconds of the call, kilobytes that the process had to itself afterwards and not before.
pub fn measure_here(case: &str) {
    let inputs: Vec<(String, String)> = match case {
        "fast" => vec![("07911 123456".to_owned(), "GB".to_owned())],
        "slow" => vec![("011 15 2345-6789".to_owned(), "AR".to_owned())],
        _ => super::CORPUS
            .lines()
            .skip(1)
            .map(|line| line.split('\t').collect::<Vec<_>>())
            .filter(|row| row[5] == "e164")
            .map(|row| (row[0].to_owned(), row[1].to_owned()))
            .filter(|(input, region)| reference::is_read_by_tables(input, Some(region)))
            .collect(),
    };
    black_box(&inputs);
    let before = private_kilobytes();
    let start = Instant::now();
    for (input, region) in &inputs {
        black_box(phone::to_e164(input, Some(region)));
    }
    let taken = start.elapsed();
    println!(
        "{} {}",
        taken.as_nanos() as f64 / 1e3,
        private_kilobytes() - before
    );
}

fn private_kilobytes() -> i64 {
    fs::read_to_string("/proc/self/smaps_rollup")
        .unwrap_or_default()
        .lines()
        .filter(|line| line.starts_with("Private_Dirty:"))
        .filter_map(|line| line.split_whitespace().nth(1)?.parse::<i64>().ok())
        .sum()
}
