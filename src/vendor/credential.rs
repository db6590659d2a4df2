//! A credential of any vendor, and the open part of it.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{
    Draft, Ids, Outbound, Vendor, apns, fcm, harmony, keys,
    spec::{Call, To},
    webpush,
};
use crate::{
    line::parse::json::Json,
    model::{
        delivery::Reason, device::Address, outcome::Answer, problem::Problem, secret::Secret, table::Table,
        time::Millis,
    },
    wire::account::Bearer as GivenBearer,
};

/// An opened credential.
#[derive(Debug)]
pub enum Credential {
    /// For APNs.
    Apns(Box<apns::Credential>),
    /// For FCM.
    Fcm(Box<fcm::Credential>),
    /// For Web Push.
    Webpush(Box<webpush::Credential>),
    /// For HarmonyOS NEXT.
    Harmony(Box<harmony::Credential>),
    /// A handful of texts.
    Keys(Vendor, Box<keys::Keys>),
}

impl Credential {
    /// Reads what an operator gives, and signs with it once, where it signs: what is stored works.
    pub fn parse(vendor: Vendor, json: Json, at: &str) -> Result<Self, Problem> {
        if vendor == Vendor::Apns {
            apns::Credential::parse(json, at).map(|own| Self::Apns(Box::new(own)))
        } else if vendor == Vendor::Fcm {
            fcm::Credential::parse(json, at).map(|own| Self::Fcm(Box::new(own)))
        } else if vendor == Vendor::Webpush {
            webpush::Credential::parse(json, at).map(|own| Self::Webpush(Box::new(own)))
        } else if vendor == Vendor::Harmony {
            harmony::Credential::parse(json, at).map(|own| Self::Harmony(Box::new(own)))
        } else {
            keys::Keys::parse(vendor, json, at).map(|own| Self::Keys(vendor, Box::new(own)))
        }
    }

    /// A bearer that is made here, for one audience. `None`: this vendor's are given, or the key does not sign.
    pub fn bearer(&self, audience: &str, now: Millis) -> Option<String> {
        match self {
            Self::Apns(credential) => credential.bearer(now),
            Self::Webpush(credential) => credential.bearer(audience, now),
            Self::Keys(vendor, keys) => vendor.spec().held.map(|held| held(keys)),
            Self::Fcm(_) | Self::Harmony(_) => None,
        }
    }

    /// A bearer that the `Account` object signs once for all, where the vendor exchanges none.
    pub fn signed(&self, revision: u64, now: Millis) -> Option<GivenBearer> {
        match self {
            Self::Harmony(credential) => credential.bearer(revision, now),
            Self::Apns(_) | Self::Fcm(_) | Self::Webpush(_) | Self::Keys(..) => None,
        }
    }

    /// The request that fetches a bearer. `None`: this vendor's bearers are signed, or the key does not sign.
    pub fn token_request(&self, now: Millis) -> Option<Outbound> {
        match self {
            Self::Fcm(credential) => credential.token_request(now),
            Self::Keys(vendor, keys) => {
                vendor.spec().exchange.as_ref().map(|exchange| (exchange.request)(keys, now))
            }
            Self::Apns(_) | Self::Webpush(_) | Self::Harmony(_) => None,
        }
    }

    /// The bearer in the answer to that request.
    pub fn bearer_from(
        &self,
        answer: &Answer,
        revision: u64,
        now: Millis,
    ) -> Result<GivenBearer, (Reason, String)> {
        let signed = || (Reason::Credentials, "bearers of this vendor are signed, not fetched".to_owned());
        match self {
            Self::Fcm(_) => fcm::bearer_from(answer, revision, now),
            Self::Keys(vendor, _) => {
                vendor.spec().exchange.as_ref().ok_or_else(signed)?.bearer(answer, revision, now)
            }
            Self::Apns(_) | Self::Webpush(_) | Self::Harmony(_) => Err(signed()),
        }
    }

    /// User name and secret with which the vendor signs its reports, if they are set, out of what was stored. The outer `None`:
    /// it cannot be read. No key is read for it.
    pub fn callback(vendor: Vendor, bytes: &[u8]) -> Option<Option<(Secret, Secret)>> {
        if vendor == Vendor::Harmony {
            harmony::Credential::callback(bytes)
        } else {
            keys::Keys::from_stored(vendor, bytes).map(|keys| keys.callback())
        }
    }

    /// For sealing.
    pub fn to_stored(&self) -> Zeroizing<Vec<u8>> {
        match self {
            Self::Apns(credential) => credential.to_stored(),
            Self::Fcm(credential) => credential.to_stored(),
            Self::Webpush(credential) => credential.to_stored(),
            Self::Harmony(credential) => credential.to_stored(),
            Self::Keys(_, keys) => keys.to_stored(),
        }
    }

    /// After opening. `None`: stored by a version that wrote it otherwise.
    pub fn from_stored(vendor: Vendor, bytes: &[u8]) -> Option<Self> {
        if vendor == Vendor::Apns {
            apns::Credential::from_stored(bytes).map(|own| Self::Apns(Box::new(own)))
        } else if vendor == Vendor::Fcm {
            fcm::Credential::from_stored(bytes).map(|own| Self::Fcm(Box::new(own)))
        } else if vendor == Vendor::Webpush {
            webpush::Credential::from_stored(bytes).map(|own| Self::Webpush(Box::new(own)))
        } else if vendor == Vendor::Harmony {
            harmony::Credential::from_stored(bytes).map(|own| Self::Harmony(Box::new(own)))
        } else {
            keys::Keys::from_stored(vendor, bytes).map(|own| Self::Keys(vendor, Box::new(own)))
        }
    }

    /// What the plan and the sender need to know of it without opening it again: nothing secret.
    pub fn facts(&self) -> Facts {
        match self {
            Self::Apns(credential) => Facts::Apns(credential.facts()),
            Self::Fcm(credential) => Facts::Fcm(credential.facts()),
            Self::Webpush(credential) => Facts::Webpush(credential.facts()),
            Self::Harmony(credential) => credential.facts(),
            Self::Keys(_, keys) => keys.facts(),
        }
    }
}

/// The open part of a credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Facts {
    /// Default topic and environment.
    Apns(apns::Facts),
    /// Project.
    Fcm(fcm::Facts),
    /// Subject and public key.
    Webpush(webpush::Facts),
    /// Open texts by their names.
    Keys(Table<String, String>),
}

impl Facts {
    /// One of the open texts.
    pub fn open(&self, name: &str) -> Option<&str> {
        match self {
            Self::Keys(texts) => texts.get(name).map(String::as_str),
            Self::Apns(_) | Self::Fcm(_) | Self::Webpush(_) => None,
        }
    }

    /// Whether a device can be reached with this credential; the error names what is missing.
    pub fn reaches(&self, to: &Address) -> Result<(), &'static str> {
        match self {
            Self::Apns(facts) => facts.topic(to).map(|_| ()),
            Self::Fcm(_) | Self::Webpush(_) | Self::Keys(_) => Ok(()),
        }
    }

    /// The request of a call as people may see it: `hidden` stands where a token or bearer would, and nothing is encrypted.
    pub fn preview(
        &self,
        draft: &Draft,
        to: &Address,
        ids: &Ids,
        hidden: &str,
        now: Millis,
    ) -> Option<Outbound> {
        if let Self::Webpush(facts) = self {
            return webpush::preview(facts, draft, to, ids, hidden);
        }
        let masked = Address { token: Secret::new(hidden), ..to.clone() };
        let to = [To { address: &masked, ids }];
        let call = Call { draft, to: &to, ids, bearer: hidden, random: None, prepared: None, now };
        (masked.vendor.spec().request)(self, &call).ok()
    }

    /// Which of our settings a "bad token" answer could also be blamed on: verdicts are weighed against the
    /// acceptances seen under the same one.
    pub fn blame(&self, to: &Address) -> String {
        match self {
            Self::Apns(facts) => facts.blame(to),
            Self::Fcm(facts) => facts.project_id.clone(),
            Self::Webpush(facts) => facts.blame(to),
            Self::Keys(_) => to.vendor.lane(to).to_owned(),
        }
    }
}
