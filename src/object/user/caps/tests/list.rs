//! The same as a list of everything would count, in any order of calls and times.

use proptest::prelude::*;

use super::*;
use crate::model::table::Table;

/// The same as a list of everything that ever passed.
#[derive(Debug, Default)]
struct Reference {
    pushes: Table<String, Passed>,
}

#[derive(Debug, Clone)]
struct Passed {
    category: Category,
    at: u64,
    until: u64,
    devices: Vec<(u32, u64)>,
}

impl Reference {
    fn spend(&mut self, ask: &Spend, now: u64) -> Vec<bool> {
        // What was over once is over, also where the clock goes back.
        self.pushes.retain(|_, passed| passed.until > now);
        let day = (now + 8 * HOUR) / (24 * HOUR);
        if !self.pushes.contains_key(&ask.push) {
            let full = ask.caps.iter().any(|cap| {
                let window = u64::from(cap.window_secs) * 1_000;
                let inside = |passed: &&Passed| passed.category == ask.category && passed.at + window > now;
                self.pushes.values().filter(inside).count() >= cap.most as usize
            });
            if full {
                return vec![false; ask.devices.len()];
            }
        }
        let mut passed = self.pushes.get(&ask.push).cloned().unwrap_or(Passed {
            category: ask.category,
            at: now,
            until: 0,
            devices: Vec::new(),
        });
        let mut answers = Vec::new();
        for Place { tag, per_day } in &ask.devices {
            let counted = (*tag, if per_day.is_none() { 0 } else { day });
            let sent = self.pushes.values().filter(|passed| passed.devices.contains(&counted)).count();
            let had = passed.devices.contains(&counted);
            let passes = had || per_day.is_none_or(|most| sent < most as usize);
            answers.push(passes);
            if passes && !had {
                passed.devices.push(counted);
                let caps = ask
                    .caps
                    .iter()
                    .map(|cap| passed.at + u64::from(cap.window_secs) * 1_000)
                    .max()
                    .unwrap_or(0);
                let ends = if per_day.is_none() { 0 } else { (day + 1) * 24 * HOUR - 8 * HOUR };
                passed.until = passed.until.max(caps).max(ends);
                self.pushes.insert(ask.push.clone(), passed.clone());
            }
        }
        answers
    }
}

#[derive(Debug, Clone)]
enum Act {
    Spend { push: u8, devices: Vec<u8>, marketing: bool, capped: bool, again: bool },
    Time(i64),
    Sleep,
}

fn act() -> impl Strategy<Value = Act> {
    let spend = (0..12u8, prop::collection::vec(0..4u8, 1..4), any::<bool>(), any::<bool>(), any::<bool>());
    prop_oneof![
        6 => spend.prop_map(|(push, devices, marketing, capped, again)| {
            Act::Spend { push, devices, marketing, capped, again }
        }),
        2 => prop_oneof![0..4_000_000i64, Just(6 * HOUR as i64), Just(40_000), -200_000..0i64].prop_map(Act::Time),
        1 => Just(Act::Sleep),
    ]
}

proptest! {
    #[test]
    fn it_counts_as_a_list_of_everything_would(acts in prop::collection::vec(act(), 1..80)) {
        let (mut caps, mut reference) = (Caps::default(), Reference::default());
        let mut now = MIDNIGHT - 2 * HOUR;
        for act in acts {
            match act {
                Act::Time(by) => now = now.saturating_add_signed(by),
                Act::Sleep => caps = crate::wire::text::read(&serde_json::to_string(&caps).unwrap()).unwrap(),
                Act::Spend { push, devices, marketing, capped, again } => {
                    let phone = |n: &u8| match n {
                        0 => apns("a"),
                        1 => place("b", Vendor::Meizu, 3),
                        n => vivo(if *n == 2 { "a" } else { "c" }),
                    };
                    let devices: Vec<Place> = devices.iter().map(phone).collect();
                    // A push is what it is each time it is asked about.
                    let marketing = marketing ^ (push % 2 == 0);
                    let rules = [cap(2, 60), cap(4, 3_600)];
                    let rules = if capped || devices.iter().any(|place| place.per_day.is_none()) { &rules[..] } else { &[] };
                    let category = if marketing { Category::Marketing } else { Category::Follow };
                    let ask = Spend { category, again, ..ask(&format!("{push} {marketing}"), &devices, rules) };
                    let answers = caps.spend(&ask, Millis(now));
                    let expected = reference.spend(&ask, now);
                    let passes: Vec<bool> = answers.iter().map(|answer| answer.passes()).collect();
                    prop_assert_eq!(passes, expected);
                    for answer in answers {
                        if let Spent::User(until) | Spent::Device(until) = answer {
                            prop_assert!(until > Millis(now), "a time to come");
                        }
                    }
                }
            }
        }
    }
}
