//! What the vendor modules hand to the sender, and what they share in making it: a body that is written once per
//! push and filled in per device, a merge that comes last, and the search for a body that fits.

use std::ops::Range;

use serde_json::{Map, Value};
use unicode_segmentation::UnicodeSegmentation;

use crate::{
    crypto::hash,
    line::parse::json::child,
    model::{
        ids::PushId,
        problem::{Code, Problem},
        push::Message,
        table::gather,
    },
};

/// Most characters a delivery id can have: a push id, a dot, a number.
const DELIVERY_ID_MAX: usize = 26 + 1 + 8;

/// A text with holes for the delivery id: written once per push, filled in per device.
#[derive(Clone, PartialEq, Eq)]
pub struct Template {
    text: String,
    /// Where the holes are; most texts have none.
    holes: Vec<Range<usize>>,
}

/// Bodies and header values hold what people write to each other, tokens and bearers: `Debug` shows none of it (law 7).
impl std::fmt::Debug for Template {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Template(up to {} bytes)", self.max_len())
    }
}

impl Template {
    /// With a hole where [`Ids::hole`] of this push stands in `text`.
    pub fn new(text: String, push: &PushId) -> Self {
        let holes = text.match_indices(&Ids::hole(push)).map(|(at, hole)| at..at + hole.len()).collect();
        Self { text, holes }
    }

    /// The text for one delivery.
    pub fn fill(&self, ids: &Ids) -> String {
        self.with(&ids.delivery)
    }

    /// The longest text this can become.
    pub fn longest(&self) -> String {
        self.with(&"0".repeat(DELIVERY_ID_MAX))
    }

    fn with(&self, id: &str) -> String {
        let mut filled = String::with_capacity(self.text.len() + self.holes.len() * id.len());
        let mut rest = 0;
        for hole in &self.holes {
            filled.push_str(self.text.get(rest..hole.start).unwrap_or_default());
            filled.push_str(id);
            rest = hole.end;
        }
        filled.push_str(self.text.get(rest..).unwrap_or_default());
        filled
    }

    /// Its bytes.
    pub fn max_len(&self) -> usize {
        let holes: usize = self.holes.iter().map(Range::len).sum();
        self.text.len() - holes + self.holes.len() * DELIVERY_ID_MAX
    }
}

/// The ids of one delivery: the same for every try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ids {
    /// `<push id>.<n>`: `ep_id`, and the vendor's tag where the caller gives none.
    pub delivery: String,
    /// Of a call for a list: the names of all in it.
    list: Option<String>,
}

impl Ids {
    /// For the n-th delivery of a push.
    pub fn new(push: &PushId, n: usize) -> Self {
        Self { delivery: [push.as_str(), ".", itoa::Buffer::new().format(n)].concat(), list: None }
    }

    /// A UUID made from them, for vendors that want one.
    pub fn uuid(&self) -> String {
        hash::uuid(self.list.as_ref().unwrap_or(&self.delivery))
    }

    /// Of a call for these: one delivery's own, or those of a list, which has the first one's name (it tells the page) and
    /// an id of its own. The same list has the same id with every try, another list another one.
    pub fn of_call(all: &[&Self]) -> Option<Self> {
        match all {
            [] => None,
            [one] => Some((*one).clone()),
            [first, ..] => {
                let names: Vec<&str> = all.iter().map(|ids| ids.delivery.as_str()).collect();
                Some(Self { delivery: first.delivery.clone(), list: Some(names.join(" ")) })
            }
        }
    }

    /// What stands in a text where the delivery id will be. It contains the push id, which is made after the
    /// request has been read, so no caller can put it into a text of theirs; and it stays what it is in forms and links.
    pub fn hole(push: &PushId) -> String {
        [push.as_str(), ".n"].concat()
    }
}

/// The vendor's JSON of one push, shared by all devices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The body, complete but for the delivery id and, where the vendor has it in the body, the token.
    pub body: Template,
    /// Headers that depend on the push only.
    pub headers: Vec<(&'static str, Template)>,
    /// The body text was cut to fit.
    pub shortened: bool,
}

/// Over the vendor's limit, whatever is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLarge {
    /// Measured, with the text cut as far as it goes.
    pub bytes: usize,
    /// The vendor's limit.
    pub limit: usize,
}

/// A JSON object of the fields that have a value.
pub fn object<const N: usize>(fields: [(&str, Option<Value>); N]) -> Map<String, Value> {
    gather(fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))))
}

/// Our own fields, which ride beside the caller's data: what a tap needs to land right, and what events name.
pub fn own_fields(message: &Message, push: &PushId) -> Map<String, Value> {
    let link = message.notification.as_ref().and_then(|shown| shown.link.as_deref());
    object([
        ("ep_id", Some(Ids::hole(push).into())),
        ("ep_guard", Some(message.guard.name().into())),
        ("ep_link", link.map(Value::from)),
        ("ep_skip_splash", link.filter(|_| message.category.personal()).map(|_| "1".into())),
    ])
}

/// Refuses options that name a field of our own, at any depth.
pub fn refuse_own(options: &Map<String, Value>, at: &str) -> Result<(), Problem> {
    options.iter().try_for_each(|(name, value)| {
        let at = child(at, name);
        if name.starts_with("ep_") {
            return Err(Problem::at(
                Code::ReservedName,
                at,
                "names that begin with `ep_` are the gateway's own",
            ));
        }
        value.as_object().map_or(Ok(()), |inner| refuse_own(inner, &at))
    })
}

/// JSON Merge Patch (RFC 7396): `null` removes, objects merge, everything else replaces.
pub fn merge(into: &mut Map<String, Value>, patch: &Map<String, Value>) {
    for (name, value) in patch {
        match value {
            Value::Null => {
                into.remove(name);
            }
            Value::Object(inner) => {
                let entry = into.entry(name.clone()).or_insert_with(|| Value::Object(Map::new()));
                if !entry.is_object() {
                    *entry = Value::Object(Map::new());
                }
                if let Value::Object(target) = entry {
                    merge(target, inner);
                }
            }
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                into.insert(name.clone(), value.clone());
            }
        }
    }
}

/// Finds the longest beginning of `text`, cut at a grapheme boundary (UAX #29) and closed with an ellipsis, for
/// which `measure` stays within `limit`. `Ok(None)`: it fits whole. The length grows with the text, so the search
/// is a bisection.
pub fn fit(
    text: Option<&str>,
    limit: usize,
    measure: impl Fn(Option<&str>) -> usize,
) -> Result<Option<String>, TooLarge> {
    let whole = measure(text);
    if whole <= limit {
        return Ok(None);
    }
    let Some(text) = text else { return Err(TooLarge { bytes: whole, limit }) };
    let cuts: Vec<usize> = text.grapheme_indices(true).map(|(at, _)| at).collect();
    let cut = |kept: usize| {
        let end = cuts.get(kept).copied().unwrap_or(text.len());
        format!("{}…", text.get(..end).unwrap_or_default().trim_end())
    };
    let fits = |kept: usize| measure(Some(&cut(kept))) <= limit;
    // At least one character stays: an ellipsis alone tells the reader nothing.
    if cuts.len() < 2 || !fits(1) {
        return Err(TooLarge { bytes: measure(Some(&cut(1))), limit });
    }
    let (mut fitting, mut over) = (1, cuts.len());
    while over - fitting > 1 {
        let middle = fitting.midpoint(over);
        if fits(middle) {
            fitting = middle;
        } else {
            over = middle;
        }
    }
    Ok(Some(cut(fitting)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::time::Millis;

    /// The example of RFC 7396 section 3.
    #[test]
    fn merge_is_that_of_the_rfc() {
        let mut into = json!({
            "title": "Goodbye!", "author": {"givenName": "John", "familyName": "Doe"},
            "tags": ["example", "sample"], "content": "This will be unchanged"
        });
        let patch = json!({
            "title": "Hello!", "phoneNumber": "+01-123-456-7890", "author": {"familyName": null}, "tags": ["example"]
        });
        merge(into.as_object_mut().unwrap(), patch.as_object().unwrap());
        assert_eq!(
            into,
            json!({
                "title": "Hello!", "author": {"givenName": "John"}, "tags": ["example"],
                "content": "This will be unchanged", "phoneNumber": "+01-123-456-7890"
            })
        );
    }

    #[test]
    fn merge_replaces_a_text_by_an_object_and_drops_nested_nulls() {
        let mut into = json!({"alert": "text"});
        merge(
            into.as_object_mut().unwrap(),
            json!({"alert": {"title": "t", "body": null}}).as_object().unwrap(),
        );
        assert_eq!(into, json!({"alert": {"title": "t"}}));
    }

    #[test]
    fn a_template_is_filled_everywhere() {
        let push = PushId::new(Millis(1), [7; 10]);
        let template = Template::new(format!("a{0}b{0}", Ids::hole(&push)), &push);
        let ids = Ids::new(&push, 3);
        assert_eq!(template.fill(&ids), format!("a{push}.3b{push}.3"));
        assert_eq!(Template::new("none".into(), &push).fill(&ids), "none");
        assert!(template.fill(&Ids::new(&push, 99_999_999)).len() <= template.max_len());
        assert_eq!(template.longest().len(), template.max_len());
    }

    #[test]
    fn a_list_has_an_id_of_its_own() {
        let push = PushId::new(Millis(1), [7; 10]);
        let [a, b, c] = [0, 1, 2].map(|n| Ids::new(&push, n));
        assert_eq!(Ids::of_call(&[&a]), Some(a.clone()));
        let list = Ids::of_call(&[&a, &b]).unwrap();
        assert_eq!(
            (list.delivery.as_str(), Ids::of_call(&[&a, &b])),
            (a.delivery.as_str(), Some(list.clone()))
        );
        assert!(list.uuid() != a.uuid() && list.uuid() != Ids::of_call(&[&a, &c]).unwrap().uuid());
        // The same across versions of the program: a try that comes later is the same call for the vendor.
        assert_eq!(list.uuid(), "9fb41e15-3739-82e9-a1a6-a1bf6924b5e2");
        assert_eq!(Ids::of_call(&[]), None);
    }

    #[test]
    fn fit_cuts_between_graphemes() {
        let measure = |text: Option<&str>| text.map_or(0, str::len);
        assert_eq!(fit(Some("short"), 5, measure), Ok(None));
        // A family of 4 (25 bytes), a flag (8), an e with a combining accent (3).
        let family = "👨‍👩‍👧‍👦";
        assert_eq!(fit(Some(&format!("{family}{family}")), 30, measure), Ok(Some(format!("{family}…"))));
        assert_eq!(fit(Some("🇫🇷🇩🇪"), 15, measure), Ok(Some("🇫🇷…".into())));
        assert_eq!(fit(Some("e\u{301}e\u{301}"), 5, measure), Err(TooLarge { bytes: 6, limit: 5 }));
        assert_eq!(fit(Some("word after"), 9, measure), Ok(Some("word a…".into())));
        assert_eq!(fit(Some("x"), 0, measure), Err(TooLarge { bytes: 4, limit: 0 }));
        assert_eq!(fit(None, 3, |_| 4), Err(TooLarge { bytes: 4, limit: 3 }));
    }
}
