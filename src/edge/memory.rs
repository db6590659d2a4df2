//! What an isolate remembers between requests: values only, never a future or anything of one request. Losing it costs
//! a read; it is bounded, and never the truth.

use std::{cell::RefCell, rc::Rc};

use crate::{
    line::lease::Purse,
    model::{
        app::App,
        ids::{AppId, Tenant},
        push::Category,
        secret::Secret,
        table::Table,
        time::Millis,
    },
    vendor::Vendor,
    wire::account::{Bearer, Class},
};

/// Entries per kind; when it is full it starts over.
const ENTRIES_MAX: usize = 1_000;
/// How long deliveries that went well speak against trouble, milliseconds.
const WENT_MS: u64 = 10_000;
/// How long accepted tokens speak for an account, milliseconds.
const ACCEPTED_MS: u64 = 3_600_000;

/// The census is told of users without a device no more often than this, milliseconds, or when there are so many.
const TELL_MS: u64 = 10_000;
const SLOTS_MANY: usize = 100;
/// More are not kept.
const SLOTS_MAX: usize = 1_000;

/// A remembered app.
#[derive(Clone)]
pub(super) struct KnownApp {
    pub(super) app: Rc<App>,
    /// When it was read, from wherever.
    pub(super) read_at: Millis,
    /// When the object itself was last asked.
    pub(super) asked_at: Option<Millis>,
}

/// One account under one credential.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct AccountKey {
    pub(super) tenant: Tenant,
    pub(super) vendor: Vendor,
}

#[derive(Default)]
struct Memory {
    apps: Table<AppId, KnownApp>,
    missing: Table<AppId, Millis>,
    fetched: Table<AccountKey, Bearer>,
    signed: Table<(AccountKey, String), Signed>,
    accepted: Table<(AccountKey, String), (Millis, u64)>,
    distrust: Table<Tenant, Millis>,
    without: Table<Tenant, Without>,
    purses: Table<(AccountKey, Class), Purse>,
    /// Whether rules on clicks hold back, and until when that is good.
    holds: Table<String, (bool, Millis)>,
    known: Table<AccountKey, Known>,
}

/// What is known of an account.
#[derive(Default)]
struct Known {
    /// The vendor has refused more of these.
    closed: Table<Category, Millis>,
    /// It is in trouble: it is asked before each send.
    trouble: bool,
    /// Deliveries that went well, and since when they are counted.
    went: (Millis, u64),
}

/// Users without a device that pushes were asked for, until the census is told.
#[derive(Default)]
struct Without {
    told_at: Millis,
    slots: Vec<u16>,
}

/// A bearer that was signed here.
#[derive(Clone)]
struct Signed {
    step: u64,
    revision: u64,
    token: Secret,
}

thread_local! {
    static MEMORY: RefCell<Memory> = RefCell::default();
}

fn insert<K: Ord, V>(map: &mut Table<K, V>, key: K, value: V) {
    if map.len() >= ENTRIES_MAX && !map.contains_key(&key) {
        map.clear();
    }
    map.insert(key, value);
}

/// KV does not write copies of this app's users until then.
pub(super) fn distrust(tenant: &Tenant, until: Millis) {
    if until > Millis(0) {
        MEMORY.with_borrow_mut(|memory| insert(&mut memory.distrust, tenant.clone(), until));
    }
}

/// Devices are to be looked up at the objects.
pub(super) fn distrusts(tenant: &Tenant, now: Millis) -> bool {
    MEMORY.with_borrow(|memory| memory.distrust.get(tenant).is_some_and(|until| *until > now))
}

/// A push was asked for to a user without a device.
pub(super) fn note_without(tenant: &Tenant, slot: u16) {
    MEMORY.with_borrow_mut(|memory| {
        if memory.without.len() < ENTRIES_MAX || memory.without.contains_key(tenant) {
            let without = memory.without.entry(tenant.clone()).or_default();
            if without.slots.len() < SLOTS_MAX && !without.slots.contains(&slot) {
                without.slots.push(slot);
            }
        }
    });
}

/// What the census is to be told: every ten seconds, and of many at once.
pub(super) fn take_without(tenant: &Tenant, now: Millis) -> Vec<u16> {
    MEMORY.with_borrow_mut(|memory| match memory.without.get_mut(tenant) {
        Some(without)
            if without.slots.len() >= SLOTS_MANY
                || (now.0.saturating_sub(without.told_at.0) >= TELL_MS && !without.slots.is_empty()) =>
        {
            without.told_at = now;
            std::mem::take(&mut without.slots)
        }
        Some(_) | None => Vec::new(),
    })
}

/// The app as last read.
pub(super) fn app(id: &AppId) -> Option<KnownApp> {
    MEMORY.with_borrow(|memory| memory.apps.get(id).cloned())
}

/// Remembers an app. An older copy (KV may be a minute behind) does not replace a newer one.
pub(super) fn remember_app(app: App, read_at: Millis, from_object: bool) -> KnownApp {
    MEMORY.with_borrow_mut(|memory| {
        memory.missing.remove(&app.id);
        let before = memory.apps.get(&app.id);
        let newer = before
            .is_none_or(|known| (app.generation, app.revision) >= (known.app.generation, known.app.revision));
        let asked_at = if from_object { Some(read_at) } else { before.and_then(|known| known.asked_at) };
        let app = match before {
            Some(known) if !newer => Rc::clone(&known.app),
            Some(_) | None => Rc::new(app),
        };
        let known = KnownApp { app, read_at, asked_at };
        insert(&mut memory.apps, known.app.id.clone(), known.clone());
        known
    })
}

/// Forgets an app: its object has just said that it does not exist.
pub(super) fn forget_app(id: &AppId, now: Millis) {
    MEMORY.with_borrow_mut(|memory| {
        memory.apps.remove(id);
        insert(&mut memory.missing, id.clone(), now);
    });
}

/// Whether the app's object said less than `ms` ago that it does not exist.
pub(super) fn is_missing(id: &AppId, now: Millis, ms: u64) -> bool {
    MEMORY.with_borrow(|memory| memory.missing.get(id).is_some_and(|at| now.0.saturating_sub(at.0) < ms))
}

/// A fetched bearer that is not due for renewal and belongs to this credential.
pub(super) fn fetched(account: &AccountKey, revision: u64, now: Millis) -> Option<Secret> {
    MEMORY.with_borrow(|memory| {
        let bearer = memory.fetched.get(account)?;
        (bearer.renew_at > now && bearer.revision >= revision).then(|| bearer.token.clone())
    })
}

/// Forgets a fetched bearer: the vendor has just refused it.
pub(super) fn forget_fetched(account: &AccountKey) {
    MEMORY.with_borrow_mut(|memory| memory.fetched.remove(account));
}

/// Remembers a fetched bearer.
pub(super) fn remember_fetched(account: AccountKey, bearer: Bearer) {
    MEMORY.with_borrow_mut(|memory| insert(&mut memory.fetched, account, bearer));
}

/// A bearer that was signed for an account's audience, for this step of time with this credential.
pub(super) fn signed(of: &(AccountKey, String), revision: u64, step: u64) -> Option<Secret> {
    MEMORY.with_borrow(|memory| {
        let signed = memory.signed.get(of)?;
        (signed.step == step && signed.revision == revision).then(|| signed.token.clone())
    })
}

/// Remembers a signed bearer.
pub(super) fn remember_signed(of: (AccountKey, String), revision: u64, step: u64, token: Secret) {
    MEMORY.with_borrow_mut(|memory| insert(&mut memory.signed, of, Signed { step, revision, token }));
}

/// Counts tokens that a vendor took, until somebody has to weigh "bad token" answers against them.
pub(super) fn count_accepted(of: &(AccountKey, String), n: u64, now: Millis) {
    MEMORY.with_borrow_mut(|memory| match memory.accepted.get_mut(of) {
        Some((since, counted)) if now.0.saturating_sub(since.0) < ACCEPTED_MS => {
            *counted = counted.saturating_add(n);
        }
        Some(_) | None => insert(&mut memory.accepted, of.clone(), (now, n)),
    });
}

/// Hands the count over.
pub(super) fn take_accepted(of: &(AccountKey, String), now: Millis) -> u64 {
    MEMORY.with_borrow_mut(|memory| {
        let counted = memory.accepted.remove(of);
        counted.filter(|(since, _)| now.0.saturating_sub(since.0) < ACCEPTED_MS).map_or(0, |(_, n)| n)
    })
}

/// A vendor has refused more of what goes as a category. The account knows it, too; this is why it is asked.
pub(super) fn close(account: &AccountKey, goes_as: Category, until: Millis) {
    know(account, &mut |known| {
        known.closed.insert(goes_as, until);
    });
}

/// Whether an account is to be asked: its vendor has refused more of what goes as a category, or is in trouble.
pub(super) fn asks(account: &AccountKey, goes_as: Category, now: Millis) -> bool {
    MEMORY.with_borrow(|memory| {
        memory.known.get(account).is_some_and(|known| {
            known.trouble || known.closed.get(&goes_as).is_some_and(|until| *until > now)
        })
    })
}

/// What an account says of itself, or what was met.
pub(super) fn note_trouble(account: &AccountKey, trouble: bool) {
    know(account, &mut |known| known.trouble = trouble);
}

/// Counts what went well, until there is trouble to weigh it against: then the count is handed over.
pub(super) fn went(account: &AccountKey, n: u64, trouble: bool, now: Millis) -> u64 {
    let mut sum = n;
    know(account, &mut |known| {
        let (since, before) = known.went;
        let fresh = now.0.saturating_sub(since.0) < WENT_MS;
        let (since, before) = if fresh { (since, before) } else { (now, 0) };
        sum = before.saturating_add(n);
        known.went = (since, if trouble { 0 } else { sum });
        known.trouble |= trouble;
    });
    sum
}

fn know(account: &AccountKey, change: &mut dyn FnMut(&mut Known)) {
    MEMORY.with_borrow_mut(|memory| {
        let mut known = memory.known.remove(account).unwrap_or_default();
        change(&mut known);
        insert(&mut memory.known, account.clone(), known);
    });
}

/// What is held ahead of a class of an account.
pub(super) fn purse<R>(
    account: &AccountKey,
    class: Class,
    now: Millis,
    step: impl FnOnce(&mut Purse) -> R,
) -> R {
    MEMORY.with_borrow_mut(|memory| {
        let key = (account.clone(), class);
        if memory.purses.len() >= ENTRIES_MAX && !memory.purses.contains_key(&key) {
            // What holds something is not forgotten. Where all do, this one gets nothing ahead.
            memory.purses =
                std::mem::take(&mut memory.purses).into_iter().filter(|(_, of)| of.holds()).collect();
            if memory.purses.len() >= ENTRIES_MAX {
                return step(&mut Purse::without(now));
            }
        }
        step(memory.purses.entry(key).or_default())
    })
}

/// Whether a rule of an app holds back what nobody cares for, as far as that is known.
pub(super) fn holds(rule: &str, now: Millis) -> Option<bool> {
    let known = MEMORY.with_borrow(|memory| memory.holds.get(rule).copied());
    known.filter(|(_, until)| *until > now).map(|(holds, _)| holds)
}

/// Remembers it until then.
pub(super) fn remember_holds(rule: String, holds: bool, until: Millis) {
    MEMORY.with_borrow_mut(|memory| insert(&mut memory.holds, rule, (holds, until)));
}
