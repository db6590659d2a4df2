//! `POST /v1/quota:simulate`: a push, of which `to` and `category` are enough.

use super::push;
use crate::model::{
    problem::{Code, Problem},
    push::{Push, When},
};

/// Reads it. A push without contents is one that shows something.
pub fn simulation(bytes: &[u8]) -> Result<Push, Problem> {
    let push = push::read(bytes, true)?;
    if push.when != When::Now {
        return Err(Problem::at(Code::InvalidValue, "/send", "a simulation is of now: leave `send` away"));
    }
    Ok(push)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::push::Category;

    #[test]
    fn whom_and_what_for_are_enough_and_mean_something_that_is_shown() {
        let bare = simulation(br#"{"to":{"users":["u"]},"category":"follow"}"#).unwrap().message;
        assert!(bare.shows_text());
        assert_eq!((bare.category, bare.ttl), (Category::Follow, 86_400));
        let silent = simulation(br#"{"to":{"users":["u"]},"data":{"a":"b"},"ttl":0}"#).unwrap().message;
        assert_eq!((silent.notification, silent.ttl), (None, 0), "what is given stays as it is");
        let call = simulation(br#"{"to":{"users":["u"]},"type":"voip"}"#).unwrap().message;
        assert_eq!(call.notification, None);
    }

    #[test]
    fn it_is_of_now_and_all_else_is_as_strict_as_a_push() {
        for (body, code, at) in [
            (r#"{"to":{"users":["u"]},"send":{"at":"2027-01-01T00:00:00Z"}}"#, Code::InvalidValue, "/send"),
            (r#"{"to":{"users":["u"]},"categroy":"im"}"#, Code::UnknownField, "/categroy"),
            (r#"{"to":{}}"#, Code::NoTargets, "/to"),
            (r#"{"category":"im"}"#, Code::MissingField, "/to"),
            (r#"{"to":{"users":["u"]},"notification":{}}"#, Code::MissingField, "/notification"),
        ] {
            let problem = simulation(body.as_bytes()).unwrap_err();
            assert_eq!((problem.code, problem.pointer.as_deref()), (code, Some(at)), "{body}");
        }
    }
}
