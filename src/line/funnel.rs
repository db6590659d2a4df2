//! Counts → the funnel: how many came to each stage, went on, were lost and why, or are under way.
//!
//! Every delivery has passed some stages and stands before the next one, where it goes on, is lost with a reason, or is
//! under way. So for every stage `in = out + lost + under way`, and what goes out of one goes into the next.

use crate::model::table::Table;

use serde::Serialize;

use crate::{
    model::{
        delivery::{Reason, Seen, State},
        problem::{Code, Problem},
        time::Millis,
    },
    wire::ledger::{Cell, Kind},
};

/// Stages after `requested`, in order.
pub const STAGES: [&str; 7] = ["resolved", "admitted", "sent", "accepted", "received", "shown", "clicked"];
/// How many of them a vendor's yes has passed. What comes after is known from reports only: without one it is under way.
const ACCEPTED: usize = 4;
/// Longest span that is answered, hours: what ledgers keep.
const SPAN_MAX: u64 = 92 * 24;

/// What counts are grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// One group.
    All,
    /// Channels.
    Vendor,
    /// What pushes are for.
    Category,
    /// Campaigns.
    Campaign,
    /// What devices run.
    Platform,
}

/// A question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Query {
    /// First hour, since the epoch.
    pub from: u64,
    /// Hour behind the last one.
    pub to: u64,
    /// Groups.
    pub by: By,
}

/// Reads `from`, `to` and `by` of a query string. Without `to` it is now, without `from` a day before that.
pub fn query(query: &[(String, String)], now: Millis) -> Result<Query, Problem> {
    let wrong =
        |name: &str, what: &str| Problem::new(Code::InvalidValue, format!("`{name}` in the query {what}"));
    let hour = |name: &str, up: u64| match query.iter().find(|(have, _)| have == name) {
        None => Ok(None),
        Some((_, text)) => match Millis::parse_rfc3339(text) {
            Some(at) => Ok(Some(at.0.saturating_add(up) / 3_600_000)),
            None => Err(wrong(name, "must be an RFC 3339 time, such as 2026-12-24T18:00:00Z")),
        },
    };
    let to = hour("to", 3_599_999)?.unwrap_or(now.0 / 3_600_000 + 1);
    let from = hour("from", 0)?.unwrap_or(to.saturating_sub(24));
    if from >= to || to - from > SPAN_MAX {
        return Err(wrong("from", "must be before `to`, by at most 92 days"));
    }
    let by = match query.iter().find(|(name, _)| name == "by").map(|(_, value)| value.as_str()) {
        None => By::All,
        Some("vendor") => By::Vendor,
        Some("category") => By::Category,
        Some("campaign") => By::Campaign,
        Some("platform") => By::Platform,
        Some(_) => return Err(wrong("by", "must be one of: vendor, category, campaign, platform")),
    };
    if let Some((name, _)) = query.iter().find(|(name, _)| !["from", "to", "by"].contains(&name.as_str())) {
        return Err(Problem::new(
            Code::UnknownField,
            format!("`{name}` in the query: there are from, to and by"),
        ));
    }
    Ok(Query { from, to, by })
}

/// One stage.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Stage {
    /// Which.
    pub stage: &'static str,
    /// Came to it.
    pub r#in: i64,
    /// Went on.
    pub out: i64,
    /// Did not, by reason.
    pub lost: Table<&'static str, i64>,
    /// Stand before it.
    pub under_way: i64,
}

/// All stages of one group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Group {
    /// Its name; none where the deliveries have none.
    pub key: Option<String>,
    /// All deliveries, and targets that no page has taken over.
    pub requested: i64,
    /// In order.
    pub stages: Vec<Stage>,
}

/// The answer to `GET /v1/funnel`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Funnel {
    /// First hour.
    pub from: String,
    /// Behind the last hour.
    pub to: String,
    /// Every stage of every group adds up, and the groups add up to the whole.
    pub balanced: bool,
    /// All together.
    pub total: Group,
    /// By what was asked for.
    pub groups: Vec<Group>,
}

/// Where a delivery stands: stages passed, and how it stands before the next one.
enum Stands {
    On(usize),
    Lost(usize, &'static str),
    UnderWay(usize),
}

fn stands(kind: &Kind) -> Stands {
    let reason = kind.reason.map_or("cancelled", Reason::name);
    match (kind.state, kind.vendor, kind.sent) {
        (None, ..) => Stands::UnderWay(0),
        (Some(State::Accepted), ..) => match kind.seen {
            None | Some(Seen::Lost) => Stands::UnderWay(ACCEPTED),
            Some(Seen::Received) => Stands::UnderWay(ACCEPTED + 1),
            Some(Seen::Shown) => Stands::UnderWay(ACCEPTED + 2),
            Some(Seen::Clicked) => Stands::On(STAGES.len()),
        },
        (Some(State::Failed), ..) if kind.seen == Some(Seen::Lost) => Stands::Lost(ACCEPTED, reason),
        (Some(State::Sending | State::Retrying | State::Held), _, sent) => {
            Stands::UnderWay(if sent { 3 } else { 1 })
        }
        (Some(_), None, _) => Stands::Lost(0, reason),
        (Some(State::Failed | State::Unknown | State::Skipped | State::Cancelled), _, true) => {
            Stands::Lost(3, reason)
        }
        (Some(State::Failed | State::Unknown), _, false) => Stands::Lost(2, reason),
        (Some(State::Skipped | State::Cancelled), _, false) => Stands::Lost(1, reason),
    }
}

impl Group {
    fn new(key: Option<String>) -> Self {
        let stages = STAGES.iter().map(|stage| Stage { stage, ..Stage::default() });
        Self { key, requested: 0, stages: stages.collect() }
    }

    fn count(&mut self, cell: &Cell) {
        self.requested += cell.n;
        let (passed, lost) = match stands(&cell.kind) {
            Stands::On(passed) => (passed, None),
            Stands::Lost(passed, reason) => (passed, Some(Some(reason))),
            Stands::UnderWay(passed) => (passed, Some(None)),
        };
        for stage in self.stages.iter_mut().take(passed) {
            stage.r#in += cell.n;
            stage.out += cell.n;
        }
        if let (Some(stage), Some(how)) = (self.stages.get_mut(passed), lost) {
            stage.r#in += cell.n;
            match how {
                Some(reason) => *stage.lost.entry(reason).or_default() += cell.n,
                None => stage.under_way += cell.n,
            }
        }
    }

    /// Looks at the numbers themselves, not at how they came about.
    fn balanced(&self) -> bool {
        let mut into = self.requested;
        self.stages.iter().all(|stage| {
            let lost: i64 = stage.lost.values().sum();
            let fits = stage.r#in == into && stage.r#in == stage.out + lost + stage.under_way;
            let whole = stage.out >= 0 && stage.under_way >= 0 && stage.lost.values().all(|n| *n >= 0);
            into = stage.out;
            fits && whole
        })
    }
}

/// The funnel of counts, from as many ledgers as there are.
pub fn funnel(query: Query, cells: &[Cell]) -> Funnel {
    let mut total = Group::new(None);
    let mut groups: Table<Option<String>, Group> = Table::new();
    for cell in cells {
        total.count(cell);
        let key = match query.by {
            By::All => continue,
            By::Vendor => cell.kind.vendor.map(|vendor| vendor.name().to_owned()),
            By::Category => Some(cell.kind.category.name().to_owned()),
            By::Campaign => cell.kind.campaign.clone(),
            By::Platform => cell.kind.platform.map(|platform| platform.name().to_owned()),
        };
        groups.entry(key.clone()).or_insert_with(|| Group::new(key)).count(cell);
    }
    let groups: Vec<Group> = groups.into_iter().map(|(_, group)| group).collect();
    let sum: i64 = groups.iter().map(|group| group.requested).sum();
    let balanced = total.balanced()
        && groups.iter().all(Group::balanced)
        && (query.by == By::All || sum == total.requested);
    let instant = |hour: u64| Millis(hour * 3_600_000).rfc3339();
    Funnel { from: instant(query.from), to: instant(query.to), balanced, total, groups }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{model::push::Category, vendor::Vendor};

    fn cell(
        state: Option<State>,
        reason: Option<Reason>,
        vendor: Option<Vendor>,
        sent: bool,
        n: i64,
    ) -> Cell {
        let (category, campaign, platform) = (Category::Im, None, None);
        Cell { kind: Kind { category, campaign, vendor, platform, state, reason, sent, seen: None }, n }
    }

    fn seen(state: State, reason: Option<Reason>, seen: Seen, n: i64) -> Cell {
        let cell = cell(Some(state), reason, Some(Vendor::Oppo), true, n);
        Cell { kind: Kind { seen: Some(seen), ..cell.kind }, n }
    }

    fn asked(text: &[(&str, &str)]) -> Result<Query, Problem> {
        let pairs: Vec<_> =
            text.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        query(&pairs, Millis(10 * 3_600_000 + 5))
    }

    #[test]
    fn every_delivery_stands_somewhere_and_all_adds_up() {
        let apns = Some(Vendor::Apns);
        let cells = [
            cell(None, None, None, false, 7),
            cell(Some(State::Skipped), Some(Reason::NoDevice), None, false, 2),
            cell(Some(State::Cancelled), None, None, false, 1),
            cell(Some(State::Skipped), Some(Reason::Quota), apns, false, 3),
            cell(Some(State::Sending), None, apns, false, 4),
            cell(Some(State::Retrying), Some(Reason::RateLimited), apns, true, 5),
            cell(Some(State::Failed), Some(Reason::Credentials), apns, false, 6),
            cell(Some(State::Failed), Some(Reason::TokenGone), apns, true, 8),
            cell(Some(State::Unknown), Some(Reason::NoAnswer), apns, true, 9),
            cell(Some(State::Accepted), None, apns, true, 10),
            seen(State::Failed, Some(Reason::TokenGone), Seen::Lost, 1),
            seen(State::Accepted, None, Seen::Received, 2),
            seen(State::Accepted, None, Seen::Shown, 3),
            seen(State::Accepted, None, Seen::Clicked, 4),
        ];
        let funnel = funnel(Query { from: 0, to: 1, by: By::Vendor }, &cells);
        assert!(funnel.balanced);
        assert_eq!(funnel.total.requested, 65);
        let flow: Vec<_> = funnel.total.stages.iter().map(|s| (s.r#in, s.out, s.under_way)).collect();
        let sent = [(65, 55, 7), (55, 48, 4), (48, 42, 0), (42, 20, 5)];
        let heard = [(20, 9, 10), (9, 7, 2), (7, 4, 3)];
        assert_eq!(flow, [&sent[..], &heard].concat());
        assert_eq!(funnel.total.stages[4].lost, crate::model::table::gather([("token_gone", 1)]));
        assert_eq!(
            funnel.total.stages[0].lost,
            crate::model::table::gather([("cancelled", 1), ("no_device", 2)])
        );
        assert_eq!(funnel.groups.iter().map(|group| group.requested).collect::<Vec<_>>(), [10, 45, 10]);
    }

    #[test]
    fn what_does_not_add_up_is_seen() {
        let mut cells = vec![cell(Some(State::Accepted), None, Some(Vendor::Apns), true, 1)];
        cells.push(cell(None, None, None, false, -1));
        assert!(!funnel(Query { from: 0, to: 1, by: By::All }, &cells).balanced, "less than nothing waits");
        let mut group = Group::new(None);
        group.count(&cells[0]);
        group.requested += 1;
        assert!(!group.balanced());
    }

    #[test]
    fn questions_are_whole_hours() {
        assert_eq!(asked(&[]), Ok(Query { from: 0, to: 11, by: By::All }));
        let some =
            asked(&[("from", "1970-01-01T02:30:00Z"), ("to", "1970-01-01T03:00:01Z"), ("by", "vendor")]);
        assert_eq!(some, Ok(Query { from: 2, to: 4, by: By::Vendor }));
        for bad in [
            [("from", "yesterday")],
            [("by", "colour")],
            [("colour", "x")],
            [("from", "1970-01-02T00:00:00Z")],
        ] {
            assert!(asked(&bad).is_err(), "{bad:?}");
        }
    }
}
