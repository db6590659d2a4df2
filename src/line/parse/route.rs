//! A method and a path → the call of the contract. One table: the router, the contract's test and the reader all use
//! this one.

use crate::model::problem::{Code, Problem};

/// What can be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// Send a push.
    Push,
    /// What a push would come to.
    ExplainPush,
    /// What is known of a push.
    GetPush,
    /// Take a push back.
    CancelPush,
    /// Counts.
    Funnel,
    /// Upload an audience.
    PutAudience,
    /// What is known of an audience.
    GetAudience,
    /// Remove an audience.
    DeleteAudience,
    /// Jobs that were given up.
    ListLetters,
    /// Put them into the queue again.
    RedriveLetters,
    /// A user's devices and preferences.
    GetUser,
    /// Change preferences.
    PatchUser,
    /// Erase a user.
    DeleteUser,
    /// Register many devices.
    ImportUsers,
    /// Counts of devices.
    DevicesHealth,
    /// What is left of the limits.
    Quota,
    /// What a push would come to against them.
    SimulateQuota,
    /// Whether to ask for permission.
    Advice,
    /// What apps report.
    Events,
    /// What vendors report.
    Receipts,
    /// Register a device.
    PutDevice,
    /// Forget a device.
    DeleteDevice,
    /// Create or change an app.
    PutApp,
    /// Show an app.
    GetApp,
    /// Remove an app.
    DeleteApp,
    /// Make a key.
    AddKey,
    /// Revoke a key.
    RevokeKey,
    /// Liveness.
    Health,
    /// The contract.
    Openapi,
}

/// Method, path template, call.
pub const TABLE: [(&str, &str, Call); 29] = [
    ("POST", "/v1/push", Call::Push),
    ("POST", "/v1/push:explain", Call::ExplainPush),
    ("GET", "/v1/push/{id}", Call::GetPush),
    ("DELETE", "/v1/push/{id}", Call::CancelPush),
    ("GET", "/v1/funnel", Call::Funnel),
    ("PUT", "/v1/audiences/{audience}", Call::PutAudience),
    ("GET", "/v1/audiences/{audience}", Call::GetAudience),
    ("DELETE", "/v1/audiences/{audience}", Call::DeleteAudience),
    ("GET", "/v1/dead-letters", Call::ListLetters),
    ("POST", "/v1/dead-letters:redrive", Call::RedriveLetters),
    ("GET", "/v1/users/{user}", Call::GetUser),
    ("PATCH", "/v1/users/{user}", Call::PatchUser),
    ("DELETE", "/v1/users/{user}", Call::DeleteUser),
    ("POST", "/v1/users:import", Call::ImportUsers),
    ("GET", "/v1/devices/health", Call::DevicesHealth),
    ("GET", "/v1/quota", Call::Quota),
    ("POST", "/v1/quota:simulate", Call::SimulateQuota),
    ("GET", "/v1/users/{user}/devices/{device}/advice", Call::Advice),
    ("POST", "/v1/events", Call::Events),
    ("POST", "/v1/receipts/{app}/{vendor}/{secret}", Call::Receipts),
    ("PUT", "/v1/users/{user}/devices/{device}", Call::PutDevice),
    ("DELETE", "/v1/users/{user}/devices/{device}", Call::DeleteDevice),
    ("PUT", "/v1/apps/{app}", Call::PutApp),
    ("GET", "/v1/apps/{app}", Call::GetApp),
    ("DELETE", "/v1/apps/{app}", Call::DeleteApp),
    ("POST", "/v1/apps/{app}/keys", Call::AddKey),
    ("DELETE", "/v1/apps/{app}/keys/{key_id}", Call::RevokeKey),
    ("GET", "/healthz", Call::Health),
    ("GET", "/openapi.json", Call::Openapi),
];

/// No call for this method and path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Miss {
    /// What the caller is told.
    pub problem: Problem,
    /// The methods that the path does have (RFC 9110 section 15.5.6).
    pub allow: Option<String>,
}

/// A call and what stands in the holes of its template, still percent-encoded.
pub type Found<'a> = (Call, Vec<&'a str>);

/// Finds the call. `HEAD` is `GET`; the platform leaves the body out.
pub fn find<'a>(method: &str, path: &'a str) -> Result<Found<'a>, Miss> {
    let wanted = if method == "HEAD" { "GET" } else { method };
    let mut allowed = Vec::new();
    for (method, template, call) in TABLE {
        let Some(holes) = holes(template, path) else { continue };
        if method == wanted {
            return Ok((call, holes));
        }
        allowed.push(method);
    }
    if allowed.is_empty() {
        let problem = Problem::new(Code::NotFound, "no such route; the contract is at /openapi.json");
        return Err(Miss { problem, allow: None });
    }
    let allow = allowed.join(", ");
    let problem = Problem::new(Code::MethodNotAllowed, format!("this route takes: {allow}"));
    Err(Miss { problem, allow: Some(allow) })
}

fn holes<'a>(template: &str, path: &'a str) -> Option<Vec<&'a str>> {
    let mut found = Vec::new();
    let (mut parts, mut segments) = (template.split('/'), path.split('/'));
    loop {
        match (parts.next(), segments.next()) {
            (None, None) => return Some(found),
            (Some(part), Some(segment)) if part.starts_with('{') => found.push(segment),
            (Some(part), Some(segment)) if part == segment => {}
            (Some(_) | None, Some(_)) | (Some(_), None) => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_is_found_with_its_own_method() {
        for (method, template, call) in TABLE {
            let path = template.replace(['{', '}'], "");
            assert_eq!(find(method, &path).unwrap().0, call, "{method} {template}");
        }
        assert_eq!(find("HEAD", "/healthz").unwrap().0, Call::Health);
        let (call, holes) = find("PUT", "/v1/users/a%2Fb/devices/d").unwrap();
        assert_eq!((call, holes), (Call::PutDevice, vec!["a%2Fb", "d"]));
    }

    #[test]
    fn other_paths_and_methods_are_told_apart() {
        for path in ["/", "", "/v1", "/v1/users", "/v1/users/u/devices", "/v2/push", "//v1/push"] {
            assert_eq!(find("GET", path).unwrap_err().problem.code, Code::NotFound, "{path}");
        }
        let miss = find("POST", "/v1/apps/shop").unwrap_err();
        assert_eq!(
            (miss.problem.code, miss.allow.as_deref()),
            (Code::MethodNotAllowed, Some("PUT, GET, DELETE"))
        );
    }
}
