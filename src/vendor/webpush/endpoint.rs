//! Where a browser's messages go: a URL that a client brings, so it may lead nowhere but to a push service. The form
//! that is taken is narrow on purpose: every parser of URLs on the way reads the same host and the same path in it.

/// Longest endpoint, bytes.
const MAX: usize = 2_048;

/// Hosts that a message may go to beside the known services: the operator's own, exact.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hosts(Vec<String>);

impl Hosts {
    /// From the setting `WEBPUSH_HOSTS`: names separated by commas. `None`: one of them is no host's name.
    pub fn parse(setting: &str) -> Option<Self> {
        let names = setting.split(',').map(str::trim).filter(|name| !name.is_empty());
        let lower = |name: &str| Some(name.to_ascii_lowercase()).filter(|name| is_name(name));
        names.map(lower).collect::<Option<_>>().map(Self)
    }
}

/// A push service's URL for one browser, in its one spelling. It is a secret: whoever knows it can send to it.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    host: String,
    /// From the first slash on.
    path: String,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Endpoint({}/…)", self.host)
    }
}

impl Endpoint {
    /// Reads a URL. The error says what the form is.
    pub fn parse(url: &str) -> Result<Self, &'static str> {
        if url.len() > MAX {
            return Err("an endpoint has at most 2048 bytes");
        }
        let scheme = url.get(..8).filter(|scheme| scheme.eq_ignore_ascii_case("https://"));
        let rest =
            scheme.and_then(|scheme| url.get(scheme.len()..)).ok_or("an endpoint begins with https://")?;
        let slash = rest.find('/').ok_or("an endpoint has a path")?;
        let (authority, path) = rest.split_at_checked(slash).ok_or("an endpoint has a path")?;
        let host = authority.strip_suffix(":443").unwrap_or(authority).to_ascii_lowercase();
        if !is_name(&host) {
            return Err("an endpoint names its host by its name, without a user and on port 443");
        }
        if !is_path(path) {
            return Err("an endpoint's path has characters of a URL only, no dot segments and no fragment");
        }
        Ok(Self { host, path: path.to_owned() })
    }

    /// That of a subscription on file, without reading the rest of it.
    pub fn of_token(token: &str) -> Option<Self> {
        let (url, _) = token.strip_prefix(r#"{"endpoint":""#)?.split_once('"')?;
        Self::parse(url).ok()
    }

    /// The URL.
    pub fn url(&self) -> String {
        format!("https://{}{}", self.host, self.path)
    }

    /// Scheme and host: whom a token is made for (`aud`).
    pub fn origin(&self) -> String {
        format!("https://{}", self.host)
    }

    /// A name for what its answers have in common: the service's, or the host where it is the operator's own.
    pub fn name(&self) -> &str {
        self.service(&Hosts::default()).unwrap_or(&self.host)
    }

    /// Whose it is. `None`: no push service that is allowed.
    pub fn service(&self, more: &Hosts) -> Option<&str> {
        service(&self.host, &self.path, more)
    }
}

/// The push service that a host and a path (from its slash on) belong to: the list of the vendor page, section 6.
pub fn service<'a>(host: &'a str, path: &str, more: &Hosts) -> Option<&'a str> {
    // These hosts are not of push alone: Google's serves FCM itself beside it.
    let prefixes: &[&str] = match host {
        "fcm.googleapis.com" => &["/fcm/send/", "/wp/"],
        "jmt17.google.com" => &["/fcm/send/"],
        "android.googleapis.com" => &["/gcm/send/"],
        _ => &["/"],
    };
    let of_a_subscription = |prefix: &&str| path.strip_prefix(*prefix).is_some_and(|id| !id.is_empty());
    if !prefixes.iter().any(of_a_subscription) {
        return None;
    }
    let below = |name: &str| host.strip_suffix(name).and_then(|label| label.strip_suffix('.'));
    if host == "fcm.googleapis.com" {
        Some("google")
    } else if below("push.services.mozilla.com").is_some() {
        Some("mozilla")
    } else if below("notify.windows.com").is_some_and(|label| !label.contains('.')) {
        Some("microsoft")
    } else if host == "web.push.apple.com" || below("web.push.apple.com").is_some() {
        Some("apple")
    } else {
        more.0.iter().any(|name| name == host).then_some(host)
    }
}

/// A name of the DNS with two labels or more, in lower case, that no parser takes for an address.
fn is_name(host: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    // What ends in a number is an IPv4 address to the WHATWG's parser, whatever number of parts it has.
    let last = host.rsplit('.').next().unwrap_or_default();
    let number = last.starts_with("0x") || last.bytes().all(|b| b.is_ascii_digit());
    host.len() <= 253 && host.contains('.') && host.split('.').all(label) && !number
}

/// Path and query as they leave: nothing in them is rewritten on the way.
fn is_path(path: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_graphic() && !b"\"#<>\\^`{|}".contains(&b);
    let hex = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_hexdigit());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        if !allowed(byte) || byte == b'%' && !(hex(rest.next()) && hex(rest.next())) {
            return false;
        }
    }
    let path = path.split('?').next().unwrap_or_default().to_ascii_lowercase();
    let dots = |segment: &str| matches!(segment.replace("%2e", ".").as_str(), "." | "..");
    !path.contains("%2f") && !path.contains("%5c") && !path.split('/').any(dots)
}
