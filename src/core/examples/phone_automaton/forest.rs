//! Minimal acyclic automata over digits, all in one arena: equal sub-automata are one node, so two nodes accept the same
//! numbers with the same outputs exactly when they are the same node.

use std::collections::{BTreeSet, HashMap, HashSet};

use regex_automata::{
    Anchored, MatchKind,
    dfa::{Automaton, StartKind, dense},
    util::{primitives::StateID, start, syntax},
};

/// The most digits that are read: the automata are cut there, which makes them finite.
pub(crate) const MAX_DIGITS: usize = 18;

/// Index into the arena.
pub(crate) type Node = u32;

/// Accepts nothing.
pub(crate) const DEAD: Node = 0;

/// A set of lengths, one bit each.
pub(crate) type Lengths = u32;

/// Every length up to [`MAX_DIGITS`].
pub(crate) const ANY_LENGTH: Lengths = (1 << (MAX_DIGITS + 1)) - 1;

type State = (u32, [Node; 10]);

pub(crate) struct Forest {
    states: Vec<State>,
    index: HashMap<State, Node>,
}

impl Forest {
    pub(crate) fn new() -> Self {
        let dead = (0, [DEAD; 10]);
        Self {
            states: vec![dead],
            index: HashMap::from([(dead, DEAD)]),
        }
    }

    /// What the automaton says of the number that ends here; 0 when it does not accept it.
    pub(crate) fn output(&self, node: Node) -> u32 {
        self.states[node as usize].0
    }

    pub(crate) fn next(&self, node: Node) -> [Node; 10] {
        self.states[node as usize].1
    }

    pub(crate) fn node(&mut self, output: u32, next: [Node; 10]) -> Node {
        let state = (output, next);
        *self.index.entry(state).or_insert_with(|| {
            self.states.push(state);
            Node::try_from(self.states.len() - 1).expect("fewer than 2^32 nodes")
        })
    }

    /// The numbers that match all of `pattern` and have one of `lengths`; their output is 1.
    pub(crate) fn language(&mut self, pattern: &str, lengths: Lengths) -> Node {
        let dfa = dense::Builder::new()
            .configure(
                dense::Config::new()
                    .start_kind(StartKind::Anchored)
                    .match_kind(MatchKind::All),
            )
            .syntax(syntax::Config::new().unicode(false).utf8(false))
            .build(&format!("^(?:{pattern})$"))
            .unwrap_or_else(|error| panic!("{pattern}: {error}"));
        let start = dfa
            .start_state(&start::Config::new().anchored(Anchored::Yes))
            .expect("an anchored start needs no look-behind");
        self.unfold(&dfa, start, 0, lengths, &mut HashMap::new())
    }

    fn unfold(
        &mut self,
        dfa: &dense::DFA<Vec<u32>>,
        state: StateID,
        length: usize,
        lengths: Lengths,
        seen: &mut HashMap<(StateID, usize), Node>,
    ) -> Node {
        if dfa.is_dead_state(state) {
            return DEAD;
        }
        if let Some(&node) = seen.get(&(state, length)) {
            return node;
        }
        let accepted = dfa.is_match_state(dfa.next_eoi_state(state)) && lengths >> length & 1 == 1;
        let mut next = [DEAD; 10];
        if length < MAX_DIGITS {
            for (digit, next) in (b'0'..).zip(&mut next) {
                let state = dfa.next_state(state, digit);
                *next = self.unfold(dfa, state, length + 1, lengths, seen);
            }
        }
        let node = self.node(u32::from(accepted), next);
        seen.insert((state, length), node);
        node
    }

    /// Runs all `roots` side by side; `combine` makes one output of theirs, and 0 of all zeros.
    pub(crate) fn product(&mut self, roots: &[Node], combine: &dyn Fn(&[u32]) -> u32) -> Node {
        self.combined(roots.to_vec(), combine, &mut HashMap::new())
    }

    fn combined(
        &mut self,
        nodes: Vec<Node>,
        combine: &dyn Fn(&[u32]) -> u32,
        seen: &mut HashMap<Vec<Node>, Node>,
    ) -> Node {
        if nodes.iter().all(|&node| node == DEAD) {
            return DEAD;
        }
        if let Some(&node) = seen.get(&nodes) {
            return node;
        }
        let outputs: Vec<u32> = nodes.iter().map(|&node| self.output(node)).collect();
        let next = std::array::from_fn(|digit| {
            let nodes = nodes.iter().map(|&node| self.next(node)[digit]).collect();
            self.combined(nodes, combine, seen)
        });
        let node = self.node(combine(&outputs), next);
        seen.insert(nodes, node);
        node
    }

    /// What the automata say of any number, apart from 0.
    pub(crate) fn outputs(&self, roots: Vec<Node>) -> BTreeSet<u32> {
        let mut outputs = BTreeSet::new();
        let mut seen = HashSet::from([DEAD]);
        let mut open = roots;
        while let Some(node) = open.pop() {
            if seen.insert(node) {
                outputs.insert(self.output(node));
                open.extend(self.next(node));
            }
        }
        outputs.remove(&0);
        outputs
    }
}
