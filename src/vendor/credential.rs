//! A credential of any vendor, and the open part of it.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{Draft, Ids, Outbound, Vendor, apns, fcm, webpush};
use crate::{
    crypto::ece::Random,
    line::parse::json::Json,
    model::{
        delivery::Reason, device::Address, outcome::Answer, problem::Problem, secret::Secret, time::Millis,
    },
    wire::account::Bearer as FetchedBearer,
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
}

impl Credential {
    /// Reads what an operator gives, and signs with it once: what is stored works.
    pub fn parse(vendor: Vendor, json: Json, at: &str) -> Result<Self, Problem> {
        match vendor {
            Vendor::Apns => apns::Credential::parse(json, at).map(|own| Self::Apns(Box::new(own))),
            Vendor::Fcm => fcm::Credential::parse(json, at).map(|own| Self::Fcm(Box::new(own))),
            Vendor::Webpush => webpush::Credential::parse(json, at).map(|own| Self::Webpush(Box::new(own))),
        }
    }

    /// A bearer that is signed here, for one audience. `None`: this vendor's are fetched, or the key does not sign.
    pub fn bearer(&self, audience: &str, now: Millis) -> Option<String> {
        match self {
            Self::Apns(credential) => credential.bearer(now),
            Self::Fcm(_) => None,
            Self::Webpush(credential) => credential.bearer(audience, now),
        }
    }

    /// The request that fetches a bearer. `None`: this vendor's bearers are signed, or the key does not sign.
    pub fn token_request(&self, now: Millis) -> Option<Outbound> {
        match self {
            Self::Apns(_) | Self::Webpush(_) => None,
            Self::Fcm(credential) => credential.token_request(now),
        }
    }

    /// The bearer in the answer to that request.
    pub fn bearer_from(
        &self,
        answer: &Answer,
        revision: u64,
        now: Millis,
    ) -> Result<FetchedBearer, (Reason, String)> {
        match self {
            Self::Apns(_) | Self::Webpush(_) => {
                Err((Reason::Credentials, "bearers of this vendor are signed, not fetched".into()))
            }
            Self::Fcm(_) => fcm::bearer_from(answer, revision, now),
        }
    }

    /// For sealing.
    pub fn to_stored(&self) -> Zeroizing<Vec<u8>> {
        match self {
            Self::Apns(credential) => credential.to_stored(),
            Self::Fcm(credential) => credential.to_stored(),
            Self::Webpush(credential) => credential.to_stored(),
        }
    }

    /// After opening. `None`: stored by a version that wrote it otherwise.
    pub fn from_stored(vendor: Vendor, bytes: &[u8]) -> Option<Self> {
        match vendor {
            Vendor::Apns => apns::Credential::from_stored(bytes).map(|own| Self::Apns(Box::new(own))),
            Vendor::Fcm => fcm::Credential::from_stored(bytes).map(|own| Self::Fcm(Box::new(own))),
            Vendor::Webpush => {
                webpush::Credential::from_stored(bytes).map(|own| Self::Webpush(Box::new(own)))
            }
        }
    }

    /// What the plan and the sender need to know of it without opening it again: nothing secret.
    pub fn facts(&self) -> Facts {
        match self {
            Self::Apns(credential) => Facts::Apns(credential.facts()),
            Self::Fcm(credential) => Facts::Fcm(credential.facts()),
            Self::Webpush(credential) => Facts::Webpush(credential.facts()),
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
}

impl Facts {
    /// Whether a device can be reached with this credential; the error names what is missing.
    pub fn reaches(&self, to: &Address) -> Result<(), &'static str> {
        match self {
            Self::Apns(facts) => facts.topic(to).map(|_| ()),
            Self::Fcm(_) | Self::Webpush(_) => Ok(()),
        }
    }

    /// The request for one device; `random` where [`Vendor::encrypts`]. `Err`: what is missing, in words that name the
    /// setting.
    pub fn request(
        &self,
        draft: &Draft,
        to: &Address,
        ids: &Ids,
        bearer: &str,
        random: Option<&Random>,
    ) -> Result<Outbound, &'static str> {
        match self {
            Self::Apns(facts) => apns::request(facts, draft, to, ids, bearer),
            Self::Fcm(facts) => Ok(fcm::request(facts, draft, to, ids, bearer)),
            Self::Webpush(facts) => webpush::request(facts, draft, to, ids, bearer, random),
        }
    }

    /// The same for people: `hidden` stands where a token or bearer would, and nothing is encrypted.
    pub fn preview(&self, draft: &Draft, to: &Address, ids: &Ids, hidden: &str) -> Option<Outbound> {
        let masked = || Address { token: Secret::new(hidden), ..to.clone() };
        match self {
            Self::Apns(facts) => apns::request(facts, draft, &masked(), ids, hidden).ok(),
            Self::Fcm(facts) => Some(fcm::request(facts, draft, &masked(), ids, hidden)),
            Self::Webpush(facts) => webpush::preview(facts, draft, to, ids, hidden),
        }
    }

    /// Which of our settings a "bad token" answer could also be blamed on: verdicts are weighed against the
    /// acceptances seen under the same one.
    pub fn blame(&self, to: &Address) -> String {
        match self {
            Self::Apns(facts) => facts.blame(to),
            Self::Fcm(facts) => facts.project_id.clone(),
            Self::Webpush(facts) => facts.blame(to),
        }
    }
}
