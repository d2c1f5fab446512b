//! Automata for the prefix rules of a region: what is dialled before a national number, and before an international one.
//!
//! The library finds such a prefix with a regular expression that takes the first alternative that fits, not the
//! longest, so these automata keep the order of preference: of all matches on the way, the last one counts.

use std::collections::{HashMap, VecDeque};

use regex_automata::{
    Anchored,
    dfa::{Automaton, StartKind, dense},
    nfa::thompson::{self, NFA, WhichCaptures},
    util::{primitives::StateID, start},
};
use regex_syntax::{
    ParserBuilder,
    hir::{Hir, HirKind},
};

/// No match here.
pub(crate) const NONE: u8 = 0;
/// The digits so far are a prefix to cut off.
pub(crate) const PLAIN: u8 = 1;
/// The digits so far include a capture that the region's transform rule would put back in another form.
pub(crate) const CAPTURED: u8 = 2;

#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct State {
    /// The match that ends here when more digits follow.
    pub(crate) here: u8,
    /// The match that ends here when the number ends here.
    pub(crate) end: u8,
    pub(crate) next: [usize; 10],
}

/// All prefix automata; state 0 is the dead one.
pub(crate) struct Prefixes {
    pub(crate) states: Vec<State>,
}

impl Prefixes {
    pub(crate) fn new() -> Self {
        let dead = State {
            here: NONE,
            end: NONE,
            next: [0; 10],
        };
        Self { states: vec![dead] }
    }

    /// The start state for `pattern`. With `transform`, matches that took part in a capture are told apart.
    pub(crate) fn add(&mut self, pattern: &str, transform: bool) -> usize {
        let hir = ParserBuilder::new()
            .unicode(false)
            .utf8(false)
            .build()
            .parse(pattern)
            .unwrap_or_else(|error| panic!("{pattern}: {error}"));
        let ways = if transform {
            ways(&hir)
        } else {
            vec![(hir, false)]
        };
        let (hirs, captured): (Vec<Hir>, Vec<bool>) = ways.into_iter().unzip();
        let nfa = NFA::compiler()
            .configure(
                thompson::Config::new()
                    .utf8(false)
                    .which_captures(WhichCaptures::None),
            )
            .build_many_from_hir(&hirs)
            .unwrap_or_else(|error| panic!("{pattern}: {error}"));
        let dfa = dense::Builder::new()
            .configure(dense::Config::new().start_kind(StartKind::Anchored))
            .build_from_nfa(&nfa)
            .unwrap_or_else(|error| panic!("{pattern}: {error}"));
        let start = dfa
            .start_state(&start::Config::new().anchored(Anchored::Yes))
            .expect("an anchored start needs no look-behind");
        self.copy(&dfa, start, &captured)
    }

    fn copy(&mut self, dfa: &dense::DFA<Vec<u32>>, start: StateID, captured: &[bool]) -> usize {
        let found = |state| match dfa.is_match_state(state) {
            false => NONE,
            true if captured[dfa.match_pattern(state, 0).as_usize()] => CAPTURED,
            true => PLAIN,
        };
        let mut index = HashMap::from([(start, self.states.len())]);
        let mut open = VecDeque::from([start]);
        self.states.push(self.states[0].clone());
        while let Some(state) = open.pop_front() {
            // The library reports a match one byte late, whatever that byte is.
            let next: [StateID; 10] =
                std::array::from_fn(|digit| dfa.next_state(state, b'0' + digit as u8));
            let here = found(next[0]);
            assert!(next.iter().all(|&next| found(next) == here));
            let next = next.map(|next| {
                if dfa.is_dead_state(next) {
                    return 0;
                }
                *index.entry(next).or_insert_with(|| {
                    open.push_back(next);
                    self.states.push(self.states[0].clone());
                    self.states.len() - 1
                })
            });
            self.states[index[&state]] = State {
                here,
                end: found(dfa.next_eoi_state(state)),
                next,
            };
        }
        index[&start]
    }

    /// Merges states that nothing tells apart (Moore's algorithm). Returns the new number of every old state.
    pub(crate) fn minimize(&mut self) -> Vec<usize> {
        let mut block: Vec<usize> = vec![0; self.states.len()];
        let mut count = 0;
        loop {
            let mut blocks = HashMap::new();
            let refined: Vec<usize> = (0..self.states.len())
                .map(|i| {
                    let state = &self.states[i];
                    let key = (
                        state.here,
                        state.end,
                        block[i],
                        state.next.map(|n| block[n]),
                    );
                    let new = blocks.len();
                    *blocks.entry(key).or_insert(new)
                })
                .collect();
            block = refined;
            if blocks.len() == count {
                break;
            }
            count = blocks.len();
        }
        let mut states = vec![self.states[0].clone(); count];
        for (state, &number) in self.states.iter().zip(&block) {
            states[number] = State {
                next: state.next.map(|n| block[n]),
                ..*state
            };
        }
        self.states = states;
        block
    }
}

/// The ways through `hir`, most preferred first, and whether each one passes a capture.
fn ways(hir: &Hir) -> Vec<(Hir, bool)> {
    if hir.properties().explicit_captures_len() == 0 {
        return vec![(hir.clone(), false)];
    }
    match hir.kind() {
        HirKind::Capture(_) => vec![(hir.clone(), true)],
        HirKind::Alternation(branches) => branches.iter().flat_map(ways).collect(),
        HirKind::Repetition(optional) => {
            assert!(optional.min == 0 && optional.max == Some(1) && optional.greedy);
            let mut ways = ways(&optional.sub);
            ways.push((Hir::empty(), false));
            ways
        }
        HirKind::Concat(parts) => parts
            .iter()
            .fold(vec![(Hir::empty(), false)], |heads, part| {
                let tails = ways(part);
                heads
                    .iter()
                    .flat_map(|(head, head_captured)| {
                        tails.iter().map(move |(tail, captured)| {
                            (
                                Hir::concat(vec![head.clone(), tail.clone()]),
                                *head_captured || *captured,
                            )
                        })
                    })
                    .collect()
            }),
        other => panic!("no rule for {other:?}"),
    }
}
