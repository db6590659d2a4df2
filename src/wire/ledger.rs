//! The `Ledger` object: one shard of an app's pushes. Owns pages, idempotency, retries due, and the funnel.

use std::borrow::Cow;

use crate::model::table::Table;

use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use crate::{
    model::{
        delivery::{Reason, Recipient, Seen, State},
        device::{Address, Platform},
        ids::{DeviceId, PushId, Tenant, UserId},
        page::{Head, Page, Part},
        push::{Category, Message},
        time::{Day, Millis},
    },
    vendor::Vendor,
    wire::text::Raw,
};

/// Durable Object binding.
pub const BINDING: &str = "LEDGER";

/// The object's name.
pub fn name(tenant: &Tenant, shard: u32) -> String {
    ["ledger:", &tenant.text(), ":", itoa::Buffer::new().format(shard)].concat()
}

/// A call, with whose ledger it is: an object cannot ask for its own name.
/// In order: the app and which life of it; which shard; what to do. (`serde_tuple` reads nothing that may be borrowed.)
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Request<'a>(pub Cow<'a, Tenant>, pub u32, pub Call<'a>);

/// What can be asked. `work` is what sending again needs; the ledger keeps it and does not look into it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call<'a> {
    /// Writes a page down, if its key is free.
    /// In order: the page, all its deliveries begun; its work, for another try; whether devices were looked up in KV.
    Begin(Cow<'a, Page>, Raw, bool),
    /// KV does not write copies: until then, pages whose devices were looked up there are not begun.
    Distrust(Millis),
    /// What became of deliveries.
    /// In order: of which push; which page; when; each.
    Settle(PushId, Part, Millis, Cow<'a, [End]>),
    /// What was heard of deliveries since.
    Hear(Vec<Heard>),
    /// Undoes a begin of which nothing was sent and nobody was told.
    /// In order: of which push; which page.
    Abort(PushId, Part),
    /// Takes what is due of a page, to send it.
    /// In order: of which push; which page.
    Take(PushId, Part),
    /// Writes a queued push down, if its key is free.
    /// In order: the push; its message; its targets, [`CHUNK`] in each.
    Queue(Box<Head>, Raw, Vec<Raw>),
    /// What a page of a queued push is to be made of.
    /// In order: of which push; which slice; which part of it.
    Slice(PushId, u32, u32),
    /// Whether a push of the same idempotency key is here.
    Held(PushId),
    /// What is known of a push.
    /// In order: which; only pages behind this row key.
    Get(PushId, Option<String>),
    /// Takes back what has not been sent.
    Cancel(PushId),
    /// Takes a user's name out of everything, and back what waits for the user. At most so many rows at once.
    /// In order: whom; only days and rows behind this place.
    Erase(UserId, Option<(Day, String)>),
    /// Counts of the hours from one until before another, since the epoch.
    Funnel(u64, u64),
}

/// What sending again needs, as it lies in a row.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Work {
    /// The message; a page of a queued push has its head's.
    pub message: Option<Message>,
    /// Raw tokens, by their place in `to.tokens`.
    pub tokens: Table<usize, Address>,
}

/// One target of a queued push, as it lies in a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// All devices of a user.
    User(UserId),
    /// One device.
    Device(UserId, DeviceId),
    /// A raw token, and its place in `to.tokens`.
    Token(usize, Box<Address>),
    /// A user who was erased.
    Nobody,
}

/// Targets in one row.
pub const CHUNK: u32 = 1_000;

/// What became of one delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct End {
    /// Its place in the page.
    pub at: u32,
    /// Of which try.
    pub tries: u32,
    /// What.
    pub to: To,
    /// A request may have left for the vendor.
    pub sent: bool,
    /// Why.
    pub reason: Option<Reason>,
    /// In words.
    pub detail: Option<String>,
    /// Of the token it went to, where that is another one than before ([`Delivery::tag`](crate::model::delivery::Delivery)).
    pub tag: Option<u32>,
    /// It went in the vendor's lower class. Last: a worker of before does not say it.
    #[serde(default)]
    pub downgraded: bool,
}

/// Something that was heard of a delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Heard {
    /// Of which push.
    pub push: PushId,
    /// Number of the delivery within the push, or of another one of the same page: a list of tokens has one.
    pub n: u32,
    /// Which delivery of that page.
    pub whose: Whose,
    /// What.
    pub event: Event,
}

/// How a report names a delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Whose {
    /// By its token, of a vendor.
    Token(Vendor, u32),
    /// By its user, and the device where the report names it.
    Device(UserId, Option<DeviceId>),
}

/// What was heard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// It has come so far.
    Seen(Seen),
    /// It did not arrive.
    /// In order: why; in words.
    Lost(Reason, String),
}

/// Where a delivery goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum To {
    /// The vendor has it.
    /// The vendor's id of it.
    Accepted(Option<String>),
    /// Not sent, on purpose; it could pass at this time.
    Skipped(Option<Millis>),
    /// Refused.
    Failed,
    /// No answer.
    Unknown,
    /// Another try, not before so many seconds where the vendor said so.
    Retry(Option<u32>),
    /// A try at this time.
    Held(Millis),
    /// Its account lets nothing pass before this time: nothing was tried.
    Wait(Millis),
}

/// The answer.
#[derive(Debug, Clone, Serialize_tuple, Deserialize_tuple)]
pub struct Reply {
    /// What came of it.
    pub outcome: Outcome,
    /// Rows written.
    pub rows: u32,
}

/// What came of a call.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Written down.
    Done,
    /// The key is taken by this push.
    Exists(Box<Known>),
    /// There is no such push, or nothing of it is to be done.
    Nothing,
    /// Not begun: KV cannot be trusted until then.
    Distrust(Millis),
    /// Deliveries to send.
    Taken(Box<Taken>),
    /// A page to make.
    Slice(Box<Sliced>),
    /// What is known of a push.
    Known(Box<Known>),
    /// Counts.
    Funnel(Vec<Cell>),
    /// Rows that named the user, and where to go on.
    Erased(u32, Option<(Day, String)>),
    /// In order: the delivery that each report is about, none where there is none; how many deliveries at the reporting
    /// vendor stand as accepted in their pages; how many are there whose token was called dead.
    Heard(Vec<Option<Found>>, u32, u32),
}

/// The delivery that a report is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Found {
    /// Whose it is.
    pub recipient: Recipient,
    /// When its last try began.
    pub sent_at: Millis,
}

/// A page of which deliveries are due.
#[derive(Debug, Clone, Serialize_tuple, Deserialize_tuple)]
pub struct Taken {
    /// The page, what is due being `sending`.
    pub page: Page,
    /// Places of what is due.
    pub due: Vec<u32>,
    /// Of the page.
    pub work: Option<Raw>,
    /// Of the head, where the page is part of a queued push.
    pub head: Option<Raw>,
    /// Until then KV cannot be trusted: devices are to be looked up at the objects.
    pub distrust: Millis,
}

/// A page to make.
#[derive(Debug, Clone, Serialize_tuple, Deserialize_tuple)]
pub struct Sliced {
    /// The push.
    pub head: Head,
    /// The head's message.
    pub work: Raw,
    /// Number of its first target.
    pub first: u32,
    /// How many targets.
    pub n: u32,
    /// The row of targets in which they are, and the number of its first one; none for an audience.
    pub chunk: Option<(u32, Raw)>,
}

/// What is known of a push.
#[derive(Debug, Clone, Serialize_tuple, Deserialize_tuple)]
pub struct Known {
    /// The head, of a queued push.
    pub head: Option<Head>,
    /// Deliveries by state, over all pages.
    pub counts: Vec<(State, u64)>,
    /// Targets that no page has taken over yet.
    pub waiting: u32,
    /// Pages from the one asked for on, as many as fit one answer.
    pub pages: Vec<Page>,
    /// Ask again with this for the pages that follow.
    pub next: Option<String>,
}

/// Deliveries of one hour that have everything in common that a count asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Cell {
    /// What they have in common.
    pub kind: Kind,
    /// How many.
    pub n: i64,
}

/// What deliveries of one count have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize_tuple, Deserialize_tuple)]
pub struct Kind {
    /// What the push is for.
    pub category: Category,
    /// Its campaign.
    pub campaign: Option<String>,
    /// Through whom.
    pub vendor: Option<Vendor>,
    /// To what.
    pub platform: Option<Platform>,
    /// Where they are; `None`: targets that no page has taken over.
    pub state: Option<State>,
    /// Why.
    pub reason: Option<Reason>,
    /// A request may have left.
    pub sent: bool,
    /// What was heard since.
    pub seen: Option<Seen>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ids::AppId, push::OnUnknown};

    /// Workers of two versions ask the same ledgers while one takes the other's place.
    #[test]
    fn calls_are_as_they_were() {
        let tenant = Tenant { app: AppId::parse("shop").unwrap(), generation: 3 };
        let push = PushId::new(Millis(1), [7; 10]);
        let written = |call| crate::wire::text::write(&Request(Cow::Borrowed(&tenant), 2, call));
        assert_eq!(written(Call::Distrust(Millis(5))), r#"[["shop",3],2,{"distrust":5}]"#);
        let ends = [End {
            at: 0,
            tries: 1,
            to: To::Accepted(None),
            sent: true,
            reason: None,
            detail: None,
            tag: Some(9),
            downgraded: false,
        }];
        assert_eq!(
            written(Call::Settle(push.clone(), Part::Whole, Millis(6), Cow::Borrowed(&ends))),
            r#"[["shop",3],2,{"settle":["00000000010W3GE1R70W3GE1R7","whole",6,[[0,1,{"accepted":null},true,null,null,9,false]]]}]"#
        );
        let page = Page {
            push,
            part: Part::Slice(1, 2),
            category: Category::Order,
            campaign: None,
            due: Millis(6),
            expires: Millis(7),
            on_unknown: OnUnknown::Keep,
            body: None,
            took: 8,
            deliveries: Vec::new(),
        };
        assert_eq!(
            written(Call::Begin(Cow::Borrowed(&page), Raw::of(&Work::default()), true)),
            r#"[["shop",3],2,{"begin":[["00000000010W3GE1R70W3GE1R7",{"slice":[1,2]},"order",null,6,7,"keep",null,8,[]],[null,{}],true]}]"#
        );
    }

    /// `edge/objects` keeps so short an answer on JavaScript's side.
    #[test]
    fn most_begins_and_settles_are_answered_in_ten_bytes() {
        let text = crate::wire::text::write(&Reply { outcome: Outcome::Done, rows: 2 });
        assert_eq!(text, r#"["done",2]"#);
    }
}
