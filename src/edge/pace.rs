//! How sends to an account went, told to it: only trouble is, and how a probe of its circuit breaker went.

use super::{
    admit::{self, Passes},
    cx::Cx,
    log, memory,
};
use crate::{
    model::app::App,
    vendor::Vendor,
    wire::account::{Call, Report},
};

/// Tells the accounts of a page. What went well is counted here until there is trouble to weigh it against.
pub(super) async fn tell(cx: &Cx, app: &App, passes: &Passes, went: &[(Vendor, Report)]) {
    for (vendor, pass) in passes.iter() {
        let found = went.iter().find(|(of, _)| of == vendor);
        let report = found.map(|(_, report)| *report).unwrap_or_default();
        let told = report.trouble > 0 || pass.probe.is_some();
        let account = admit::account_key(app, *vendor);
        let before = memory::went(&account, report.went, told, cx.now);
        // A probe speaks for itself alone.
        let went = if pass.probe.is_some() { report.went } else { before };
        let report = Report { went, probe: pass.probe, ..report };
        if told && admit::call(cx, &app.tenant(), *vendor, Call::Report(report)).await.is_err() {
            // The next trouble is told, and a probe is given up after a minute.
            log::warn("account_not_told", &[("app", app.id.as_str()), ("vendor", vendor.name())]);
        }
    }
}
