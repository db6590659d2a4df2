//! Users, their devices and the `Claim` objects, with everything that is between them arriving in any order, late or never,
//! and each of them dying at any time: a device has one owner, and in the end everybody agrees on which.

use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;

use super::super::{sample::*, *};
use crate::{
    model::{
        device::Source,
        ids::{AppId, Tenant, UserId},
    },
    object::claim::State,
    wire::{
        claim::{Holder, Outcome},
        user::Loss,
    },
};

const USERS: usize = 3;
const DEVICES: usize = 2;
const TOKENS: usize = 3;

#[derive(Debug, Clone)]
enum Act {
    /// A user registers a device with a token.
    Register(usize, usize, usize),
    /// A line of an import says so.
    Import(usize, usize, usize),
    /// A backend says so.
    Move(usize, usize, usize),
    /// A user's device logs out.
    Leave(usize, usize),
    /// A user is erased.
    Erase(usize),
    /// A vendor says that a user's device is dead.
    Dead(usize, usize),
    /// One of the calls under way gets one step further.
    Go(usize),
    /// A user's object dies: what it waited for is lost.
    CrashUser(usize),
    /// All `Claim` objects die.
    CrashClaims,
    /// A user's alarm.
    Alarm(usize),
    /// Time.
    Wait(u16),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (0..USERS, 0..DEVICES, 0..TOKENS).prop_map(|(u, d, t)| Act::Register(u, d, t)),
        2 => (0..USERS, 0..DEVICES, 0..TOKENS).prop_map(|(u, d, t)| Act::Import(u, d, t)),
        4 => (0..USERS, 0..DEVICES, 0..TOKENS).prop_map(|(u, d, t)| Act::Move(u, d, t)),
        2 => (0..USERS, 0..DEVICES).prop_map(|(u, d)| Act::Leave(u, d)),
        1 => (0..USERS).prop_map(Act::Erase),
        1 => (0..USERS, 0..DEVICES).prop_map(|(u, d)| Act::Dead(u, d)),
        16 => any::<usize>().prop_map(Act::Go),
        2 => (0..USERS).prop_map(Act::CrashUser),
        1 => Just(Act::CrashClaims),
        3 => (0..USERS).prop_map(Act::Alarm),
        2 => (1u16..20_000).prop_map(Act::Wait),
    ]
}

/// A registration that waits for its two claims.
#[derive(Debug, Clone)]
struct Call {
    user: usize,
    ask: Ask,
    again: bool,
    /// For each key: not asked yet, asked and waiting until whoever held it is told, answered.
    answers: [Option<Outcome>; 2],
    asked: [Option<u64>; 2],
}

struct World {
    now: Millis,
    homes: Vec<Home>,
    rows: Vec<(BTreeMap<DeviceId, Device>, About)>,
    claims: HashMap<Key, State>,
    claim_rows: HashMap<Key, State>,
    calls: Vec<Call>,
}

fn user(n: usize) -> UserId {
    UserId::parse(format!("u{n}")).unwrap()
}

impl World {
    fn new() -> Self {
        let now = Millis(NOON);
        let home = || Home::load(Vec::new(), About::default(), now);
        Self {
            now,
            homes: (0..USERS).map(|_| home()).collect(),
            rows: vec![Default::default(); USERS],
            claims: HashMap::new(),
            claim_rows: HashMap::new(),
            calls: Vec::new(),
        }
    }

    fn store(&mut self, user: usize, step: Step) {
        let (devices, about) = &mut self.rows[user];
        for write in step.writes {
            match write {
                Write::Put(device) => drop(devices.insert(device.id.clone(), *device)),
                Write::Remove(id) => drop(devices.remove(&id)),
                Write::About => *about = self.homes[user].about().cloned().unwrap_or_default(),
            }
        }
        if let Some(ask) = step.claim {
            self.call(user, ask, false);
        }
    }

    fn call(&mut self, user: usize, ask: Ask, again: bool) {
        self.calls.push(Call { user, ask, again, answers: [None; 2], asked: [None; 2] });
    }

    fn claim(&mut self, key: &Key) -> &mut State {
        let stored = self.claim_rows.get(key).cloned();
        self.claims.entry(key.clone()).or_insert_with(|| {
            let tenant = Tenant { app: AppId::parse("shop").unwrap(), generation: 1 };
            stored.unwrap_or_else(|| State::free(tenant, key.clone()))
        })
    }

    fn keep(&mut self, key: &Key) {
        let state = self.claim(key).clone();
        if state.is_empty() {
            self.claim_rows.remove(key);
        } else {
            self.claim_rows.insert(key.clone(), state);
        }
    }

    /// The next thing that happens to a call: a claim is asked for, the one before is told, the answers come back.
    fn go(&mut self, n: usize) {
        if self.calls.is_empty() {
            return;
        }
        let n = n % self.calls.len();
        let call = self.calls[n].clone();
        let Some(open) = (0..2).find(|at| call.answers[*at].is_none()) else {
            self.calls.remove(n);
            let step = self.homes[call.user].claimed(&call.ask, call.answers, self.now);
            return self.store(call.user, step);
        };
        let key = call.ask.keys[open].clone();
        let now = self.now;
        let Some(epoch) = call.asked[open] else {
            let (outcome, _) = self.claim(&key).claim(call.ask.claim(user(call.user), call.again), now);
            self.keep(&key);
            match outcome {
                Outcome::Yours(epoch) => self.calls[n].asked[open] = Some(epoch),
                outcome => self.calls[n].answers[open] = Some(outcome),
            }
            return;
        };
        let told = self.claim(&key).tell().map(|(holder, loss)| (holder.user.clone(), loss));
        match told {
            Some((loser, loss)) => self.tell(&key, &loser, &loss),
            None => self.calls[n].answers[open] = Some(Outcome::Yours(epoch)),
        }
    }

    fn tell(&mut self, key: &Key, loser: &UserId, loss: &Loss) {
        let n = (0..USERS).find(|n| user(*n) == *loser).unwrap();
        let step = self.homes[n].lost(loss, self.now);
        self.store(n, step);
        self.claim(key).told(loss.epoch);
        self.keep(key);
    }

    fn alarm(&mut self, n: usize) {
        for ask in self.homes[n].undecided() {
            self.call(n, ask, true);
        }
        self.free(n, false);
    }

    fn free(&mut self, n: usize, early: bool) {
        for owed in self.homes[n].owed(early, self.now) {
            if self.claim(&owed.key).release(&user(n), owed.upto) {
                self.keep(&owed.key);
            }
            let step = self.homes[n].freed(&owed);
            self.store(n, step);
        }
    }

    fn register(&mut self, n: usize, device: usize, token: usize, source: Source) {
        let (device, token) = (id(&format!("d{device}")), registration(&format!("t{token}")));
        let step = self.homes[n].put(device, token, source, self.now);
        self.store(n, step);
    }

    fn act(&mut self, act: Act) {
        self.now.0 += 1;
        match act {
            Act::Register(n, device, token) => self.register(n, device, token, Source::Client),
            Act::Import(n, device, token) => self.register(n, device, token, Source::Import),
            Act::Move(n, device, token) => self.register(n, device, token, Source::Backend),
            Act::Erase(n) => {
                let step = self.homes[n].erase(self.now);
                self.store(n, step);
                self.free(n, true);
            }
            Act::Leave(n, device) => {
                let step = self.homes[n].delete(&id(&format!("d{device}")), self.now);
                self.store(n, step);
            }
            Act::Dead(n, device) => {
                let id = id(&format!("d{device}"));
                let Some(device) = self.homes[n].device(&id) else { return };
                let token = device.registration.address.token.reveal().to_owned();
                let word = gone(&token, None, true)
                    .into_iter()
                    .map(|gone| crate::wire::user::Gone { device: id.clone(), ..gone });
                let step = self.homes[n].gone(word.collect(), self.now);
                self.store(n, step);
            }
            Act::Go(n) => self.go(n),
            Act::CrashUser(n) => {
                self.calls.retain(|call| call.user != n);
                let (devices, about) = self.rows[n].clone();
                self.homes[n] = Home::load(devices.into_values().collect(), about, self.now);
            }
            Act::CrashClaims => self.claims.clear(),
            Act::Alarm(n) => self.alarm(n),
            Act::Wait(ms) => {
                self.now.0 += u64::from(ms);
                // No call takes a minute.
                while let Some(n) = self.calls.iter().position(|call| call.ask.at.0 + 30_000 < self.now.0) {
                    self.go(n);
                }
            }
        }
        self.one_owner();
    }

    /// At every moment.
    fn one_owner(&self) {
        let mut devices: HashMap<String, usize> = HashMap::new();
        let mut tokens: HashMap<String, (usize, String)> = HashMap::new();
        for (n, home) in self.homes.iter().enumerate() {
            for device in home.copy().devices {
                assert_eq!(devices.insert(device.id.to_string(), n), None, "two users hold {}", device.id);
                let token = device.address.token.reveal().to_owned();
                assert_eq!(
                    tokens.insert(token, (n, device.id.to_string())),
                    None,
                    "two devices hold one token"
                );
            }
        }
    }

    /// Until nothing is under way: alarms come, and nobody dies any more.
    fn settle(&mut self) {
        for _ in 0..200 {
            while !self.calls.is_empty() {
                self.go(0);
                self.one_owner();
            }
            self.now.0 += 100_000;
            (0..USERS).for_each(|n| self.alarm(n));
            let owed: Vec<Key> = self
                .claim_rows
                .iter()
                .filter(|(_, state)| state.tell().is_some())
                .map(|(key, _)| key.clone())
                .collect();
            for key in owed {
                if let Some((holder, loss)) =
                    self.claim(&key).tell().map(|(holder, loss)| (holder.user.clone(), loss))
                {
                    self.tell(&key, &holder, &loss);
                }
            }
            let quiet = self
                .homes
                .iter()
                .all(|home| !home.pending() && home.about().is_none_or(|about| about.owed.is_empty()));
            if quiet && self.calls.is_empty() && self.claim_rows.values().all(|state| state.tell().is_none())
            {
                return;
            }
        }
        panic!("it does not come to rest");
    }

    /// When everything has been said, claims and users agree, and the rows are as memory is.
    fn agree(&mut self) {
        let mut held = 0;
        for n in 0..USERS {
            for device in self.homes[n].devices().to_vec() {
                assert!(device.usable());
                held += 2;
                let holder = Some(Holder { user: user(n), device: device.id.clone() });
                assert_eq!(self.claim(&Key::token(&device.registration.address)).holder, holder);
                assert_eq!(self.claim(&Key::Device(device.id.clone())).holder, holder);
            }
            let (devices, about) = self.rows[n].clone();
            assert_eq!(devices.into_values().collect::<Vec<_>>(), self.homes[n].devices());
            assert_eq!(about, self.homes[n].about().cloned().unwrap_or_default());
        }
        self.claims.clear();
        let claimed = self.claim_rows.values().filter(|state| state.holder.is_some()).count();
        assert_eq!(
            claimed,
            held,
            "a claim that nobody uses: {:?} {:?}",
            self.claim_rows,
            self.homes.iter().map(Home::devices).collect::<Vec<_>>()
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, max_shrink_iters: 5_000, ..ProptestConfig::default() })]

    #[test]
    fn one_owner_in_every_order(acts in proptest::collection::vec(act(), 1..120)) {
        let mut world = World::new();
        for act in acts {
            world.act(act);
        }
        world.settle();
        world.agree();
    }
}
