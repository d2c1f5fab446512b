//! From numbering plans to tables: what libphonenumber's `parse`, `is_valid_number`, `get_region_for_number` and
//! `get_number_type` find out with regular expressions, worked out for all numbers at once.
//!
//! Layout of the file, all integers little-endian: the header ([`Tables::bytes`] in the order of [`write()`]), then
//! - `rows`: ten targets (u16) a row, one for each digit;
//! - `outputs`: the class (u16) of a number that ends at a row;
//! - `chains`: class (u16) and count (u16): so many more digits, whichever, make a number of that class;
//! - `classes`: plan (u8), number type (u8, 1 to 11 in the order of [`TYPES`], 0 in automata that only say yes or which
//!   plan), whether parsing leaves the number as it is (u8), 0;
//! - `plans`: one a region, see [`Plan`];
//! - `prefixes`: ten targets (u16) a row, the match when more digits follow (u8), the match at the end (u8);
//! - `regions`: for two letters, 26 × first + second, the plan's number plus one (u8);
//! - `codes`: for calling codes 0 to 999 the main plan's number plus one (u8);
//! - `openings`: tables of 100 bytes, for the first two digits of three or more: the length of the trunk prefix if they
//!   settle it and rule out an exit code, else 255.
//!
//! A target below the number of rows is a row; from there on it is a chain. Chain 0 is "no number", class 0 "not valid".

// The fields of the metadata are marked deprecated for those who read them from a finished engine.
#![allow(deprecated)]

use std::collections::{BTreeMap, BTreeSet, HashMap};

use prost::Message;
use rlibphonenumber::{PhoneMetadata, PhoneMetadataCollection, PhoneNumberDesc};
use sha2::{Digest, Sha256};

use super::{
    forest::{ANY_LENGTH, DEAD, Forest, Lengths, MAX_DIGITS, Node},
    prefix::{CAPTURED, NONE, PLAIN, Prefixes},
};

/// Number types in the order in which the library tries them. Fixed line comes before mobile, and a number that is both
/// is [`FIXED_LINE_OR_MOBILE`].
const TYPES: [fn(&PhoneMetadata) -> &Option<PhoneNumberDesc>; 10] = [
    |plan| &plan.premium_rate,
    |plan| &plan.toll_free,
    |plan| &plan.shared_cost,
    |plan| &plan.voip,
    |plan| &plan.personal_number,
    |plan| &plan.pager,
    |plan| &plan.uan,
    |plan| &plan.voicemail,
    |plan| &plan.fixed_line,
    |plan| &plan.mobile,
];
const FIXED_LINE: u32 = 9;
const MOBILE: u32 = 10;
const FIXED_LINE_OR_MOBILE: u32 = 11;

/// In a table of `openings`.
const UNSETTLED: u8 = 255;

/// What a number belongs to. As an output of an automaton: see [`Class::pack`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Class {
    plan: usize,
    number_type: u32,
    /// Reading the E.164 form gives the number itself: it is possible, and no part of it is taken for a trunk prefix.
    stable: bool,
}

impl Class {
    fn of_plan(plan: usize) -> Self {
        Self {
            plan,
            number_type: 0,
            stable: false,
        }
    }

    fn pack(self) -> u32 {
        let plan = u32::try_from(self.plan).expect("few plans");
        (plan << 5 | self.number_type << 1 | u32::from(self.stable)) + 1
    }

    fn unpack(output: u32) -> Option<Self> {
        let packed = output.checked_sub(1)?;
        Some(Self {
            plan: (packed >> 5) as usize,
            number_type: (packed >> 1) & 15,
            stable: packed & 1 == 1,
        })
    }
}

/// A region's rules.
struct Plan {
    /// ISO 3166-1 alpha-2, or `001`.
    region: String,
    calling_code: u16,
    /// The region that stands for the calling code where it is shared.
    main: usize,
    /// Start of the trunk prefix automaton.
    trunk: usize,
    /// Start of the automaton of what is dialled before a calling code.
    international: usize,
    /// Start of the region's general description, in which lengths do not count.
    general: Node,
    /// Start of the automaton that finds a region of the calling code by its leading digits; none where the code has one
    /// region only.
    leading: Option<Node>,
    /// How long a national number may be, and how long one that is dialled inside its own area only.
    possible: Lengths,
    local: Lengths,
    /// Start of the calling code's numbers.
    root: Node,
    /// Start of the short numbers that its regions dial.
    short: Node,
    /// What the first two digits settle.
    opening: [u8; 100],
}

pub(crate) struct Tables {
    pub(crate) bytes: Vec<u8>,
    pub(crate) summary: String,
}

/// `metadata` is a serialized `PhoneMetadataCollection`, `short_numbers` the text beside this file.
pub(crate) fn compile(metadata: &[u8], short_numbers: &str) -> Tables {
    let collection = PhoneMetadataCollection::decode(metadata)
        .expect("metadata.bin is a PhoneMetadataCollection");
    let metadata_hash = Sha256::digest(metadata);
    let plans = &collection.metadata;
    let mut by_code: BTreeMap<u16, Vec<usize>> = BTreeMap::new();
    for (number, plan) in plans.iter().enumerate() {
        let sharers = by_code.entry(calling_code(plan)).or_default();
        if plan.main_country_for_code() {
            sharers.insert(0, number);
        } else {
            sharers.push(number);
        }
    }

    let mut forest = Forest::new();
    let mut prefixes = Prefixes::new();
    let mut records: Vec<Option<Plan>> = plans.iter().map(|_| None).collect();
    let mut root = [DEAD; 1000];
    for (&code, sharers) in &by_code {
        let trunks: Vec<usize> = sharers
            .iter()
            .map(|&number| trunk(&mut prefixes, &plans[number]))
            .collect();
        let numbers = numbers_of_code(&mut forest, &prefixes, plans, sharers, trunks[0]);
        root[usize::from(code)] = numbers;
        let leading = (sharers.len() > 1).then(|| leading(&mut forest, plans, sharers));
        let short = short_numbers_of(&mut forest, short_numbers, plans, sharers);
        for (&number, &trunk) in sharers.iter().zip(&trunks) {
            let plan = &plans[number];
            let international = plan
                .international_prefix
                .as_deref()
                .map_or(0, |pattern| prefixes.add(inner(pattern), false));
            records[number] = Some(Plan {
                region: plan.id.clone(),
                calling_code: code,
                main: sharers[0],
                trunk,
                international,
                general: forest.language(general_pattern(plan), ANY_LENGTH),
                leading,
                possible: lengths(&general(plan).possible_length),
                local: lengths(&general(plan).possible_length_local_only),
                root: numbers,
                short,
                opening: opening(&prefixes, international, trunk),
            });
        }
    }
    let renumbered = prefixes.minimize();
    let mut records: Vec<Plan> = records.into_iter().flatten().collect();
    for plan in &mut records {
        plan.trunk = renumbered[plan.trunk];
        plan.international = renumbered[plan.international];
    }
    let international = with_calling_codes(&mut forest, &root);
    write(&forest, international, &records, &prefixes, &metadata_hash)
}

fn calling_code(plan: &PhoneMetadata) -> u16 {
    u16::try_from(plan.country_code()).expect("calling codes have up to three digits")
}

/// The pattern without the `^(?:…)$` that the crate's copy of the metadata has round all of them.
fn inner(pattern: &str) -> &str {
    pattern
        .strip_prefix("^(?:")
        .and_then(|pattern| pattern.strip_suffix(")$"))
        .unwrap_or_else(|| panic!("not wrapped: {pattern}"))
}

fn lengths(list: &[i32]) -> Lengths {
    list.iter()
        .filter(|&&length| length != -1)
        .map(|&length| 1 << length)
        .sum()
}

fn general(plan: &PhoneMetadata) -> &PhoneNumberDesc {
    plan.general_desc.as_ref().expect("every plan has one")
}

fn general_pattern(plan: &PhoneMetadata) -> &str {
    inner(
        general(plan)
            .national_number_pattern
            .as_deref()
            .expect("every plan has one"),
    )
}

fn described(forest: &mut Forest, desc: &Option<PhoneNumberDesc>) -> Node {
    let Some(desc) = desc else { return DEAD };
    let Some(pattern) = desc.national_number_pattern.as_deref() else {
        return DEAD;
    };
    let lengths = match desc.possible_length.as_slice() {
        // As in the general description, which is checked beside this one.
        [] => ANY_LENGTH,
        list => lengths(list),
    };
    forest.language(inner(pattern), lengths)
}

/// The valid numbers of one region with their types.
fn types(forest: &mut Forest, plan: &PhoneMetadata) -> Node {
    let mut roots = vec![described(forest, &plan.general_desc)];
    roots.extend(TYPES.map(|desc| described(forest, desc(plan))));
    let same = plan.same_mobile_and_fixed_line_pattern();
    forest.product(&roots, &|outputs| {
        let is = |number_type: u32| outputs[number_type as usize] != 0;
        if outputs[0] == 0 {
            return 0;
        }
        match (1..=MOBILE).find(|&number_type| is(number_type)) {
            Some(FIXED_LINE) if same || is(MOBILE) => FIXED_LINE_OR_MOBILE,
            Some(MOBILE) if same => 0,
            found => found.unwrap_or(0),
        }
    })
}

/// The valid numbers of a calling code. `sharers[0]` is the main region, `trunk` its trunk prefix.
fn numbers_of_code(
    forest: &mut Forest,
    prefixes: &Prefixes,
    plans: &[PhoneMetadata],
    sharers: &[usize],
    trunk: usize,
) -> Node {
    let main = &plans[sharers[0]];
    let possible = lengths(&general(main).possible_length)
        | lengths(&general(main).possible_length_local_only);
    let possible = forest.language("[0-9]*", possible);
    let general = forest.language(general_pattern(main), ANY_LENGTH);
    let changed = Stripped {
        forest,
        prefixes,
        general,
        seen: HashMap::new(),
    }
    .changed(Position {
        digits: 0,
        whole: general,
        prefix: trunk,
        rest: None,
        captured: false,
    });
    let mut roots = vec![possible, changed];
    for &number in sharers {
        let plan = &plans[number];
        roots.push(types(forest, plan));
        roots.push(leading_digits(forest, plan));
    }
    forest.product(&roots, &|outputs| {
        let [possible, changed, regions @ ..] = outputs else {
            return 0;
        };
        let (regions, _) = regions.as_chunks::<2>();
        // The first region that claims the number has it, by its leading digits if need be; the only one always has it.
        let owner = regions
            .iter()
            .position(|&[number_type, leading]| number_type != 0 || leading != 0);
        match owner.map(|owner| (owner, regions[owner][0])) {
            Some((owner, number_type)) if number_type != 0 => Class {
                plan: sharers[owner],
                number_type,
                stable: *possible != 0 && *changed == 0,
            }
            .pack(),
            _ => 0,
        }
    })
}

/// [`Plan::leading`].
fn leading(forest: &mut Forest, plans: &[PhoneMetadata], sharers: &[usize]) -> Node {
    let roots: Vec<Node> = sharers
        .iter()
        .map(|&number| leading_digits(forest, &plans[number]))
        .collect();
    forest.product(&roots, &|outputs| {
        outputs
            .iter()
            .position(|&leading| leading != 0)
            .map_or(0, |owner| Class::of_plan(sharers[owner]).pack())
    })
}

/// [`Plan::short`]. A line of `text` is region, kind, lengths and pattern, with tabs between.
fn short_numbers_of(
    forest: &mut Forest,
    text: &str,
    plans: &[PhoneMetadata],
    sharers: &[usize],
) -> Node {
    let roots: Vec<Node> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let [region, _, lengths, pattern] = *line.split('\t').collect::<Vec<_>>() else {
                panic!("not region, kind, lengths, pattern: {line}");
            };
            let lengths = lengths
                .split(',')
                .map(|length| 1 << length.parse::<u32>().expect("a length"))
                .sum();
            let is_here = sharers.iter().any(|&number| plans[number].id == region);
            is_here.then(|| forest.language(pattern, lengths))
        })
        .collect();
    forest.product(&roots, &|outputs| {
        u32::from(outputs.iter().any(|&output| output != 0))
    })
}

fn leading_digits(forest: &mut Forest, plan: &PhoneMetadata) -> Node {
    plan.leading_digits.as_deref().map_or(DEAD, |digits| {
        forest.language(&format!("(?:{})[0-9]*", inner(digits)), ANY_LENGTH)
    })
}

/// How far the library's attempt to strip a trunk prefix has come.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Position {
    digits: usize,
    /// All digits in the general description.
    whole: Node,
    /// The trunk prefix automaton.
    prefix: usize,
    /// The digits after the prefix in the general description, once there is a prefix.
    rest: Option<Node>,
    /// Whether the prefix has a capture, which means a transformation.
    captured: bool,
}

struct Stripped<'a> {
    forest: &'a mut Forest,
    prefixes: &'a Prefixes,
    general: Node,
    seen: HashMap<Position, Node>,
}

impl Stripped<'_> {
    fn matched(&self, at: Position, kind: u8) -> Position {
        if kind == NONE || at.digits == 0 {
            return at;
        }
        Position {
            rest: Some(self.general),
            captured: kind == CAPTURED,
            ..at
        }
    }

    /// The numbers that stripping may change. It is not done where it would take a number that fits the general
    /// description out of it. (Nor where too little is left; such numbers are counted as changed here.)
    fn changed(&mut self, at: Position) -> Node {
        if at.prefix == 0 && at.rest.is_none() {
            return DEAD;
        }
        if let Some(&node) = self.seen.get(&at) {
            return node;
        }
        let state = self.prefixes.states[at.prefix].clone();
        let end = self.matched(at, state.end);
        let changed = end.rest.is_some_and(|rest| {
            end.captured || self.forest.output(end.whole) == 0 || self.forest.output(rest) != 0
        });
        let mut next = [DEAD; 10];
        if at.digits < MAX_DIGITS {
            let here = self.matched(at, state.here);
            for (digit, next) in next.iter_mut().enumerate() {
                *next = self.changed(Position {
                    digits: at.digits + 1,
                    whole: self.forest.next(at.whole)[digit],
                    prefix: state.next[digit],
                    rest: here.rest.map(|rest| self.forest.next(rest)[digit]),
                    captured: here.captured,
                });
            }
        }
        let node = self.forest.node(u32::from(changed), next);
        self.seen.insert(at, node);
        node
    }
}

fn trunk(prefixes: &mut Prefixes, plan: &PhoneMetadata) -> usize {
    plan.national_prefix_for_parsing
        .as_deref()
        .map_or(0, |pattern| {
            let transform = !plan.national_prefix_transform_rule().is_empty();
            prefixes.add(inner(pattern), transform)
        })
}

/// A table of `openings`.
fn opening(prefixes: &Prefixes, exit: usize, trunk: usize) -> [u8; 100] {
    std::array::from_fn(|digits| {
        let read = |start: usize| {
            let mut state = &prefixes.states[start];
            let mut found = (0, state.here);
            for (length, digit) in (1..).zip([digits / 10, digits % 10]) {
                state = &prefixes.states[state.next[digit]];
                if state.here != NONE {
                    found = (length, state.here);
                }
            }
            let settled = *state == prefixes.states[0];
            (settled, found)
        };
        match (read(exit), read(trunk)) {
            ((true, (_, NONE)), (true, (_, NONE))) => 0,
            ((true, (_, NONE)), (true, (length, PLAIN))) => length,
            _ => UNSETTLED,
        }
    })
}

/// One automaton for `calling code, national number`.
fn with_calling_codes(forest: &mut Forest, roots: &[Node; 1000]) -> Node {
    // Codes of three digits, then under each pair of digits the code of two or those of three, and so on up.
    let pairs: Vec<Node> = (0..100)
        .map(|pair| {
            if pair >= 10 && roots[pair] != DEAD {
                return roots[pair];
            }
            let next = std::array::from_fn(|digit| match pair {
                0..10 => DEAD,
                _ => roots[pair * 10 + digit],
            });
            forest.node(0, next)
        })
        .collect();
    let first = std::array::from_fn(|digit| {
        if digit > 0 && roots[digit] != DEAD {
            return roots[digit];
        }
        forest.node(0, std::array::from_fn(|second| pairs[digit * 10 + second]))
    });
    forest.node(0, first)
}

/// Numbers nodes for the file.
struct Layout<'a> {
    forest: &'a Forest,
    rows: Vec<Node>,
    row: HashMap<Node, usize>,
    chains: BTreeSet<(u16, u16)>,
    chain: HashMap<Node, Option<(u16, u16)>>,
    classes: BTreeMap<u32, u16>,
}

impl Layout<'_> {
    fn class(&self, node: Node) -> u16 {
        match self.forest.output(node) {
            0 => 0,
            output => self.classes[&output],
        }
    }

    /// The class and the number of digits to go, where the digits make no difference.
    fn chain(&mut self, node: Node) -> Option<(u16, u16)> {
        if let Some(&known) = self.chain.get(&node) {
            return known;
        }
        let next = self.forest.next(node);
        let found = match (self.class(node), next[0]) {
            _ if next.iter().any(|&n| n != next[0]) => None,
            (class, DEAD) => Some((class, 0)),
            (0, next) => self.chain(next).map(|(class, count)| (class, count + 1)),
            _ => None,
        };
        self.chain.insert(node, found);
        found
    }

    /// Depth first, so that the rows of a country stand together.
    fn visit(&mut self, node: Node) {
        if let Some(chain) = self.chain(node) {
            self.chains.insert(chain);
        } else if !self.row.contains_key(&node) {
            self.row.insert(node, self.rows.len());
            self.rows.push(node);
            for next in self.forest.next(node) {
                self.visit(next);
            }
        }
    }

    fn target(&mut self, node: Node) -> u16 {
        let target = match self.chain(node) {
            None => self.row[&node],
            Some(chain) => self.rows.len() + self.chains.range(..chain).count(),
        };
        u16::try_from(target).expect("fewer than 65,536 rows and chains")
    }
}

fn write(
    forest: &Forest,
    international: Node,
    plans: &[Plan],
    prefixes: &Prefixes,
    metadata_hash: &[u8],
) -> Tables {
    let roots: Vec<Node> = plans
        .iter()
        .flat_map(|plan| [Some(plan.general), plan.leading, Some(plan.short)])
        .flatten()
        .collect();
    let outputs = forest.outputs([&[international], roots.as_slice()].concat());
    let classes: BTreeMap<u32, u16> = outputs.into_iter().zip(1..).collect();
    let mut layout = Layout {
        forest,
        rows: Vec::new(),
        row: HashMap::new(),
        chains: BTreeSet::from([(0, 0)]),
        chain: HashMap::new(),
        classes,
    };
    layout.visit(international);
    roots.into_iter().for_each(|root| layout.visit(root));

    let mut rows = Vec::new();
    let mut row_outputs = Vec::new();
    for node in layout.rows.clone() {
        for next in forest.next(node) {
            rows.extend(layout.target(next).to_le_bytes());
        }
        row_outputs.extend(layout.class(node).to_le_bytes());
    }
    let chains: Vec<u8> = layout
        .chains
        .iter()
        .flat_map(|(class, count)| [class.to_le_bytes(), count.to_le_bytes()])
        .flatten()
        .collect();
    let mut class_bytes = vec![0; 4];
    for &output in layout.classes.keys() {
        let class = Class::unpack(output).expect("0 was taken out");
        class_bytes.extend([
            byte(class.plan),
            byte(class.number_type as usize),
            u8::from(class.stable),
            0,
        ]);
    }
    let mut openings: Vec<[u8; 100]> = Vec::new();
    let mut plan_bytes = Vec::new();
    for plan in plans {
        let known = openings.iter().position(|table| *table == plan.opening);
        let opening = known.unwrap_or(openings.len());
        if known.is_none() {
            openings.push(plan.opening);
        }
        let targets = [
            plan.root,
            plan.general,
            plan.leading.unwrap_or(DEAD),
            plan.short,
        ];
        let targets = targets.map(|node| layout.target(node));
        plan_bytes.extend(plan_record(plan, targets, opening));
    }
    let prefix_bytes: Vec<u8> = prefixes
        .states
        .iter()
        .flat_map(|state| {
            let next = state
                .next
                .map(|next| u16::try_from(next).expect("few prefix states"));
            next.into_iter()
                .flat_map(u16::to_le_bytes)
                .chain([state.here, state.end])
        })
        .collect();
    let mut regions = vec![0; 26 * 26];
    let mut codes = vec![0; 1000];
    for (number, plan) in plans.iter().enumerate() {
        codes[usize::from(plan.calling_code)] = byte(plan.main + 1);
        if let [first @ b'A'..=b'Z', second @ b'A'..=b'Z'] = *plan.region.as_bytes() {
            let index = usize::from(first - b'A') * 26 + usize::from(second - b'A');
            regions[index] = byte(number + 1);
        }
    }

    let sections = [
        rows,
        row_outputs,
        chains,
        class_bytes,
        plan_bytes,
        prefix_bytes,
        regions,
        codes,
        openings.concat(),
    ];
    let mut bytes = metadata_hash.to_vec();
    for section in &sections {
        bytes.extend(u32::try_from(section.len()).expect("small").to_le_bytes());
    }
    bytes.extend(sections.iter().flatten());
    let summary = format!(
        "{} rows, {} chains, {} classes, {} plans, {} prefix states, {} bytes",
        layout.rows.len(),
        layout.chains.len(),
        layout.classes.len(),
        plans.len(),
        prefixes.states.len(),
        bytes.len(),
    );
    Tables { bytes, summary }
}

fn byte(number: usize) -> u8 {
    u8::try_from(number).expect("fits a byte")
}

/// 32 bytes: region (2), calling code, numbers, general description, leading digits, short numbers, trunk, international,
/// opening (u16 each), main, whether it shares the calling code (u8 each), possible lengths, local lengths (u32 each), `+` and the
/// calling code with zero bytes before it (4).
fn plan_record(plan: &Plan, targets: [u16; 4], opening: usize) -> Vec<u8> {
    let mut record = match *plan.region.as_bytes() {
        [first, second] => vec![first, second],
        _ => vec![0, 0],
    };
    let prefixes = [plan.trunk, plan.international, opening]
        .map(|number| u16::try_from(number).expect("fewer than 65,536"));
    for number in [&[plan.calling_code], &targets[..], &prefixes].concat() {
        record.extend(number.to_le_bytes());
    }
    record.extend([byte(plan.main), u8::from(plan.leading.is_some())]);
    record.extend(plan.possible.to_le_bytes());
    record.extend(plan.local.to_le_bytes());
    let written = format!("+{}", plan.calling_code);
    record.extend(format!("{written:\0>4}").into_bytes());
    record
}
