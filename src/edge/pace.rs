//! How sends to an account went, told to it: only trouble is, and how a probe of its circuit breaker went.

use super::{
    admit::{self, Passes},
    cx::Cx,
    log, memory,
};
use crate::{
    model::{app::App, table::Table},
    vendor::Vendor,
    wire::account::{Call, Report},
};

/// Tells the accounts of a page. What went well is counted here until there is trouble to weigh it against.
pub(super) async fn tell(cx: &Cx, app: &App, passes: &Passes, went: &Table<Vendor, Report>) {
    for (vendor, pass) in passes.iter() {
        let report = went.get(vendor).copied().unwrap_or_default();
        let account = admit::account_key(app, *vendor);
        if report.trouble > 0 || pass.probe.is_some() {
            let before = memory::take_went(&account, cx.now);
            if report.trouble > 0 {
                memory::note_trouble(&account, true);
            }
            let report = Report { went: report.went.saturating_add(before), probe: pass.probe, ..report };
            one(cx, app, *vendor, report).await;
        } else if report.went > 0 {
            memory::count_went(&account, report.went, cx.now);
        }
    }
}

/// Tells one account.
pub(super) async fn one(cx: &Cx, app: &App, vendor: Vendor, report: Report) {
    if admit::call(cx, app, vendor, Call::Report(report)).await.is_err() {
        // The next trouble is told, and a probe is given up after a minute.
        log::warn("account_not_told", &[("app", app.id.as_str()), ("vendor", vendor.name())]);
    }
}
