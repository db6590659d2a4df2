//! Step 3, I/O half: users → devices. One bulk read of KV; a miss asks the `User` object before anyone says "unknown".
//!
//! A push that is for the user's eyes only (`guard: account`) asks the objects alone: KV may be a minute old, and the phone may
//! have changed hands. So does every push while KV does not write copies.

use super::{
    cx::{self, Cx, unavailable},
    glue, memory,
    together::together,
};
use crate::{
    line::{
        quiet,
        resolve::{self, Directory, Known},
    },
    model::{
        app::App,
        ids::{Tenant, UserId},
        problem::Problem,
        push::{Category, Guard, Message},
        time::Millis,
    },
    wire::{
        census,
        ledger::Target,
        text,
        user::{self as wire, FRESH_MS, GUARD_MS},
    },
};

/// Objects asked at once.
pub(super) const AT_ONCE: usize = 24;
/// What an object has told holds so much longer than it is used, milliseconds.
const GUARD_MARGIN_MS: u64 = 500;

/// Devices, and how far what was found can be trusted.
pub(super) struct Looked {
    /// What was found.
    pub(super) directory: Directory,
    /// How it was found.
    pub(super) terms: Terms,
}

/// How far a lookup can be trusted.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Terms {
    /// Something of it comes from KV.
    pub(super) copies: bool,
    /// It holds until then: what has not left by then asks again.
    pub(super) until: Option<Millis>,
}

/// The devices of all users that the targets name.
pub(super) async fn directory(
    cx: &Cx,
    app: &App,
    message: &Message,
    to: &[Target],
) -> Result<Looked, Problem> {
    let users = resolve::users(to);
    let guard = message.guard == Guard::Account && !users.is_empty();
    let tenant = app.tenant();
    // The platform's clock stands still while a request computes: the sender gives up earlier than the objects do.
    let until = guard.then(|| Millis(cx::now().0 + GUARD_MS - GUARD_MARGIN_MS));
    let how = How { copies: !guard && !memory::distrusts(&tenant, cx.now), guard, most: None };
    let directory = look(cx, &tenant, message.category, users, how).await?;
    Ok(Looked { directory, terms: Terms { copies: how.copies, until } })
}

/// How users are looked up.
#[derive(Debug, Clone, Copy)]
pub(super) struct How {
    /// Copies in KV will do.
    pub(super) copies: bool,
    /// What their objects tell is to hold for a while.
    pub(super) guard: bool,
    /// For a simulation: nothing is noted, and so many objects are asked at most. Users that are not known then have no entry.
    pub(super) most: Option<usize>,
}

/// The devices of these users.
pub(super) async fn look(
    cx: &Cx,
    tenant: &Tenant,
    category: Category,
    users: Vec<UserId>,
    how: How,
) -> Result<Directory, Problem> {
    let mut directory = Directory::new();
    let mut missing = Vec::new();
    if how.copies {
        let keys: Vec<String> = users.iter().map(|user| wire::name(tenant, user)).collect();
        let found = if keys.is_empty() { Vec::new() } else { cx.read_many(wire::COPY, &keys).await };
        for (user, copy) in users.into_iter().zip(found) {
            match copy.and_then(|copy| text::read::<wire::Copy>(&copy).ok()) {
                Some(copy) if copy.at.0 + FRESH_MS < cx.now.0 => {
                    directory.insert(user, known(copy, category, cx.now));
                }
                Some(_) | None => missing.push(user),
            }
        }
    } else {
        missing = users;
    }
    missing.truncate(how.most.unwrap_or(usize::MAX));
    let asked = missing.iter().map(|user| (user.clone(), wire::Call::Reach(how.guard))).collect();
    let answers = call_all(cx, tenant, AT_ONCE, asked).await;
    for (user, answer) in missing.into_iter().zip(answers) {
        let wire::Shown::Reach(copy) = answer?.shown else {
            return Err(unavailable("a storage object gave no usable answer"));
        };
        if copy.devices.is_empty() && how.most.is_none() {
            memory::note_without(tenant, census::slot(&user));
        }
        directory.insert(user, known(copy, category, cx.now));
    }
    Ok(directory)
}

fn known(copy: wire::Copy, category: Category, now: Millis) -> Known {
    let wire::Copy { devices, opt_out, quiet, at: _ } = copy;
    let hush = quiet.filter(|quiet| quiet.hours.categories.contains(&category)).and_then(|quiet| {
        // A zone that the platform no longer knows: by UTC.
        quiet::end(&quiet, now, |at| glue::zone_offset(&quiet.zone, at.0).unwrap_or_default())
    });
    Known { devices, opt_out, hush }
}

/// Asks one user's object.
pub(super) async fn call(
    cx: &Cx,
    tenant: &Tenant,
    user: &UserId,
    call: wire::Call,
) -> Result<wire::Reply, Problem> {
    let request = wire::Request { tenant: tenant.clone(), user: user.clone(), call };
    let reply: wire::Reply = cx.ask(wire::BINDING, &wire::name(tenant, user), &request).await?;
    cx.cost.rows(reply.rows);
    Ok(reply)
}

/// Asks the objects of users, so many at once; gives their answers in the order of the calls.
pub(super) async fn call_all(
    cx: &Cx,
    tenant: &Tenant,
    at_once: usize,
    calls: Vec<(UserId, wire::Call)>,
) -> Vec<Result<wire::Reply, Problem>> {
    let asked = calls.into_iter().map(|(user, ask)| async move { call(cx, tenant, &user, ask).await });
    together(at_once, asked).await
}
