//! Step 6, I/O half: asks the `Account` objects, side by side, and signs bearers that need no asking.

use crate::model::table::Table;

use super::{
    bearer::signed,
    cx::{self, Cx, unavailable},
    log,
    memory::{self, AccountKey},
    pace,
    together::together,
};
use crate::{
    crypto::hash,
    line::{
        admit::{self, Refusal},
        begin::Batch,
        pace as line,
    },
    model::{app::App, delivery::Reason, problem::Problem, push::Category, secret::Secret, time::Millis},
    vendor::{self, Vendor, rules},
    wire::account::{self as wire, Admit, Call, Class, Grant, Outcome, Return},
};

/// What one account gave.
#[derive(Debug, Clone)]
pub(super) struct Pass {
    /// What its requests carry, per audience.
    bearers: Vec<(String, Secret)>,
    /// What it lets pass.
    pub(super) class: Class,
    /// Its grants, where something limits the class.
    grants: Option<Grants>,
    /// It is a probe of the account's circuit breaker.
    pub(super) probe: Option<Millis>,
    /// It has its turn at this time.
    pub(super) starts: Millis,
}

/// What is needed to give grants back.
#[derive(Debug, Clone, Copy, Default)]
struct Grants {
    resets_at: Millis,
    own: bool,
}

impl Pass {
    fn new(class: Class, bearers: Vec<(String, Secret)>) -> Self {
        Self { bearers, class, grants: None, probe: None, starts: Millis(0) }
    }

    /// One that was fetched is for every audience.
    fn fetched(class: Class, bearer: Secret) -> Self {
        Self::new(class, vec![(String::new(), bearer)])
    }

    /// What requests to one audience carry.
    pub(super) fn bearer(&self, audience: &str) -> Option<&Secret> {
        self.bearers.iter().find(|(of, _)| of == audience).map(|(_, bearer)| bearer)
    }

    /// The same grants with a bearer that was fetched anew.
    pub(super) fn renewed(&self, bearer: Secret) -> Self {
        Self { bearers: Self::fetched(self.class, bearer).bearers, ..self.clone() }
    }
}

/// What all accounts gave, and what they did not let through.
#[derive(Debug, Default)]
pub(super) struct Passes {
    passes: Table<Vendor, Pass>,
    /// Per vendor: how many pass, and how the rest ends.
    refused: Vec<(Vendor, u64, Refusal)>,
}

impl Passes {
    /// What one account gave.
    pub(super) fn get(&self, vendor: Vendor) -> Option<&Pass> {
        self.passes.get(&vendor)
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Vendor, &Pass)> {
        self.passes.iter()
    }

    /// Ends what was not let through.
    pub(super) fn apply(&mut self, batch: &mut Batch) {
        for (vendor, spare, end) in self.refused.drain(..) {
            batch.end(vendor, spare, &end);
        }
    }

    /// Gives everything back: nothing is sent.
    pub(super) async fn undo(&self, cx: &Cx, app: &App, batch: &Batch) {
        for (vendor, pass) in self.passes.iter() {
            let refused = self.refused.iter().find(|(of, ..)| of == vendor).map(|(_, spare, _)| *spare);
            let n = refused.unwrap_or(batch.under_way(*vendor) as u64);
            give_back(cx, app, *vendor, pass, n, false).await;
        }
        pace::tell(cx, app, self, &[]).await;
    }
}

/// Asks all accounts of a batch. `Err`: one does not answer; what the others gave has gone back.
pub(super) async fn admit(cx: &Cx, app: &App, category: Category, batch: &Batch) -> Result<Passes, Problem> {
    let vendors = batch.vendors();
    let answers =
        together(usize::MAX, vendors.iter().map(|vendor| one(cx, app, category, *vendor, batch))).await;
    let mut all = Passes::default();
    let mut fault = None;
    for (vendor, answer) in vendors.into_iter().zip(answers) {
        match answer {
            Ok(Admitted { granted, rest, pass: Ok(pass) }) => {
                if let Some((granted, until)) = granted {
                    let over = app.policy.over_quota(category);
                    let end = rest.unwrap_or_else(|| admit::no_quota(over, until, batch.page.expires));
                    all.refused.push((vendor, granted, end));
                }
                all.passes.insert(vendor, pass);
            }
            Ok(Admitted { rest: Some(end), .. }) => all.refused.push((vendor, 0, end)),
            Ok(Admitted { pass: Err((reason, detail)), .. }) => {
                all.refused.push((vendor, 0, admit::no_bearer(reason, detail)));
            }
            Err(problem) => fault = Some(problem),
        }
    }
    let Some(problem) = fault else { return Ok(all) };
    all.undo(cx, app, batch).await;
    Err(problem)
}

/// Unused grants go back. `close`: the vendor says that its day has no more of them, also where nothing limited the class.
pub(super) async fn give_back(cx: &Cx, app: &App, vendor: Vendor, pass: &Pass, n: u64, close: bool) {
    let Pass { class, grants, .. } = *pass;
    if close {
        memory::close(&account_key(app, vendor), class.goes_as, vendor.refused_until(cx::now()));
    }
    if n == 0 || (grants.is_none() && !close) {
        return;
    }
    let Grants { resets_at, own } = grants.unwrap_or_default();
    let back = Return { class, resets_at, n, own, close };
    if call(cx, app, vendor, Call::Return(back)).await.is_err() {
        log::error("grants_not_returned", &[("app", app.id.as_str()), ("vendor", vendor.name())]);
    }
}

struct Admitted {
    /// How many, and until when the rest waits; `None`: nothing limits them.
    granted: Option<(u64, Millis)>,
    /// What becomes of the others, where it is not a quota that refuses them.
    rest: Option<Refusal>,
    pass: Result<Pass, (Reason, String)>,
}

async fn one(
    cx: &Cx,
    app: &App,
    category: Category,
    vendor: Vendor,
    batch: &Batch,
) -> Result<Admitted, Problem> {
    let n = batch.under_way(vendor);
    let account = account_key(app, vendor);
    let class = admit::class(app, vendor, category);
    let revision = app.credentials.get(&vendor).map_or(0, |credential| credential.revision);
    let at_hand = match vendor.bearer() {
        vendor::Bearer::Made => match signed(cx, app, vendor, batch) {
            Ok(bearers) => Some(Pass::new(class, bearers)),
            Err(refused) => return Ok(Admitted { granted: None, rest: None, pass: Err(refused) }),
        },
        vendor::Bearer::Given => {
            memory::fetched(&account, revision, cx.now).map(|bearer| Pass::fetched(class, bearer))
        }
    };
    let asks = memory::asks(&account, class.goes_as, cx.now);
    let Some(ask) = admit::ask(app, vendor, class, n, at_hand.is_some(), asks, line::large(batch, n)) else {
        return Ok(Admitted { granted: None, rest: None, pass: at_hand.ok_or_else(no_bearer) });
    };
    Ok(match call(cx, app, vendor, Call::Admit(ask)).await? {
        Outcome::Granted(Grant { n, until, own, bearer, wait_ms, probe, rest, open_for, trouble }) => {
            memory::note_trouble(&account, trouble);
            let starts = Millis(cx::now().0.saturating_add(wait_ms));
            let rest = rest.map(|until| line::waits(until, open_for));
            let fetched = bearer.map(|bearer| Pass::fetched(class, remember(account, bearer)));
            let limited = own || rules::limits(vendor, class.goes_as);
            let grants = limited.then_some(Grants { resets_at: until, own });
            let pass =
                fetched.or(at_hand).map(|pass| Pass { grants, probe, starts, ..pass }).ok_or_else(no_bearer);
            Admitted { granted: Some((n, until)), rest, pass }
        }
        Outcome::NoBearer(reason, detail) => {
            Admitted { granted: None, rest: None, pass: Err((reason, detail)) }
        }
        Outcome::Returned | Outcome::Judged(..) | Outcome::Levels(..) => {
            return Err(unavailable("an account gave no usable answer"));
        }
    })
}

/// A new bearer in place of one that the vendor has just refused. `Err`: why there is none.
pub(super) async fn renew(
    cx: &Cx,
    app: &App,
    vendor: Vendor,
    refused: &Pass,
) -> Result<Secret, (Reason, String)> {
    memory::forget_fetched(&account_key(app, vendor));
    let revision = app.credentials.get(&vendor).map_or(0, |credential| credential.revision);
    let class = refused.class;
    let refused = refused.bearer("").map(|bearer| hash::sha256_hex(bearer.reveal().as_bytes()));
    let ask = Admit {
        class,
        n: 0,
        limit: None,
        policy: app.revision,
        bearer: true,
        refused,
        revision,
        rate: None,
        large: false,
    };
    match call(cx, app, vendor, Call::Admit(ask)).await {
        Ok(Outcome::Granted(Grant { bearer: Some(bearer), .. })) => {
            Ok(remember(account_key(app, vendor), bearer))
        }
        Ok(Outcome::NoBearer(reason, detail)) => Err((reason, detail)),
        Ok(Outcome::Granted(..) | Outcome::Returned | Outcome::Judged(..) | Outcome::Levels(..)) => {
            Err(no_bearer())
        }
        Err(problem) => Err((Reason::VendorUnavailable, problem.detail)),
    }
}

/// Asks one account.
pub(super) async fn call(cx: &Cx, app: &App, vendor: Vendor, call: Call) -> Result<Outcome, Problem> {
    let tenant = app.tenant();
    let name = wire::name(&tenant, vendor);
    let reply: wire::Reply = cx.ask(wire::BINDING, &name, &wire::Request { tenant, vendor, call }).await?;
    cx.cost.rows(reply.rows);
    Ok(reply.outcome)
}

/// Names an account in the isolate's memory.
pub(super) fn account_key(app: &App, vendor: Vendor) -> AccountKey {
    AccountKey { tenant: app.tenant().to_string(), vendor }
}

fn remember(account: AccountKey, bearer: wire::Bearer) -> Secret {
    let token = bearer.token.clone();
    memory::remember_fetched(account, bearer);
    token
}

fn no_bearer() -> (Reason, String) {
    (Reason::Credentials, "the account gave no access token".into())
}
