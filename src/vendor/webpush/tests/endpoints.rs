//! Endpoints that are taken, and those that lead nowhere.

use crate::vendor::webpush::{Endpoint, Hosts};

fn service_of(url: &str, more: &str) -> Option<String> {
    let more = Hosts::parse(more).expect("hosts");
    Endpoint::parse(url).ok()?.service(&more).map(str::to_owned)
}

#[test]
fn browsers_endpoints_are_taken_in_one_spelling() {
    for (url, service) in [
        ("https://fcm.googleapis.com/fcm/send/dSbTwHYXBxQ:APA91bFjU7L9Vs09_-sDCJc", "google"),
        ("https://fcm.googleapis.com/wp/dHIoDxE7Hdg:APA91bH1Zj0kNa", "google"),
        ("https://updates.push.services.mozilla.com/wpush/v2/gAAAAABnpdbulnTLVcG1dB8-_=", "mozilla"),
        ("https://autopush.push.services.mozilla.com/wpush/v1/x", "mozilla"),
        ("https://wns2-par02p.notify.windows.com/w/?token=BQYAAACaZ%2bq%2fx%3d", "microsoft"),
        ("https://dm3p.notify.windows.com/?token=x", "microsoft"),
        ("https://web.push.apple.com/QF8w7V0M5Z3hbQiw4tIsMBJ", "apple"),
        ("https://eu.web.push.apple.com/Q", "apple"),
    ] {
        assert_eq!(service_of(url, "").as_deref(), Some(service), "{url}");
        let endpoint = Endpoint::parse(url).unwrap();
        assert_eq!(endpoint.url(), url);
        assert_eq!(Endpoint::parse(&endpoint.url()), Ok(endpoint.clone()));
        assert!(url.starts_with(&endpoint.origin()) && !endpoint.origin().ends_with('/'));
        assert!(!format!("{endpoint:?}").contains(&url[url.len() - 3..]), "a secret");
    }
    let other = Endpoint::parse("HTTPS://WEB.Push.Apple.com:443/aB").unwrap();
    assert_eq!(
        (other.url().as_str(), other.origin().as_str()),
        ("https://web.push.apple.com/aB", "https://web.push.apple.com")
    );
}

/// Whatever a client brings: it leads to a push service or nowhere.
#[test]
fn hostile_endpoints_lead_nowhere() {
    let long = format!("https://web.push.apple.com/{}", "a".repeat(2_022));
    assert_eq!(long.len(), 2_049);
    let hostile = [
        // Not https.
        "",
        "https://",
        "https:///x",
        "http://fcm.googleapis.com/fcm/send/x",
        "ftp://web.push.apple.com/x",
        "javascript://web.push.apple.com/%0aalert(1)",
        "file:///etc/passwd",
        "//web.push.apple.com/x",
        "web.push.apple.com/x",
        "https:web.push.apple.com/x",
        "https:/web.push.apple.com/x",
        "https:\\\\web.push.apple.com\\x",
        " https://web.push.apple.com/x",
        "\thttps://web.push.apple.com/x",
        "ht\ntps://web.push.apple.com/x",
        "view-source:https://web.push.apple.com/x",
        // Addresses, in every notation.
        "https://127.0.0.1/x",
        "https://127.1/x",
        "https://2130706433/x",
        "https://0x7f000001/x",
        "https://0x7f.0.0.1/x",
        "https://0177.0.0.1/x",
        "https://017700000001/x",
        "https://127.0.0.0x1/x",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::1]/x",
        "https://[::ffff:127.0.0.1]/x",
        "https://[fd00:ec2::254]/x",
        "https://[::]:443/x",
        "https://0/x",
        "https://0.0.0.0/x",
        "https://１２７.0.0.1/x",
        "https://127。0。0。1/x",
        "https://127.0.0.1./x",
        // Other hosts.
        "https://localhost/x",
        "https://metadata.google.internal/x",
        "https://example.com/x",
        "https://api.push.apple.com/3/device/00",
        "https://api.sandbox.push.apple.com/3/device/00",
        "https://push.apple.com/x",
        "https://a.push.apple.com/x",
        "https://apple.com/x",
        "https://push.services.mozilla.com/x",
        "https://notify.windows.com/w/?token=x",
        "https://a.b.notify.windows.com/w/?token=x",
        "https://android.googleapis.com/gcm/send/x",
        "https://jmt17.google.com/fcm/send/x",
        "https://updates-autopush.stage.mozaws.net/wpush/v1/x",
        "https://www.googleapis.com/fcm/send/x",
        "https://oauth2.googleapis.com/token",
        // A known name as a part of another one.
        "https://web.push.apple.com.evil.example/x",
        "https://web.push.apple.com.evil/x",
        "https://evilweb.push.apple.com/x",
        "https://evil-web.push.apple.com/x",
        "https://fcm.googleapis.com.evil.example/fcm/send/x",
        "https://xfcm.googleapis.com/fcm/send/x",
        "https://a.fcm.googleapis.com/fcm/send/x",
        "https://evilnotify.windows.com/x",
        "https://evilpush.services.mozilla.com/x",
        "https://evil.example/web.push.apple.com/x",
        "https://evil.example?web.push.apple.com/x",
        "https://evil.example#web.push.apple.com/x",
        "https://evil.example\\.web.push.apple.com/x",
        "https://evil.example%2f.web.push.apple.com/x",
        "https://evil.example%00.web.push.apple.com/x",
        "https://evil.example\0.web.push.apple.com/x",
        "https://evil_.web.push.apple.com/x",
        "https://-.web.push.apple.com/x",
        // Users.
        "https://web.push.apple.com@evil.example/x",
        "https://user@web.push.apple.com/x",
        "https://user:pass@web.push.apple.com/x",
        "https://@web.push.apple.com/x",
        "https://web.push.apple.com:443@evil.example/x",
        "https://web.push.apple.com\\@evil.example/x",
        "https://evil.example\\@web.push.apple.com/x",
        // Dots.
        "https://web.push.apple.com./x",
        "https://web.push.apple.com../x",
        "https://.web.push.apple.com/x",
        "https://a..web.push.apple.com/x",
        "https://.notify.windows.com/x",
        "https://web.push.apple。com/x",
        "https://web.push.apple.com%2e/x",
        // Look-alikes.
        "https://web.push.аpple.com/x",
        "https://web.push.xn--pple-43d.com/x",
        "https://fcm.googIeapis.com/fcm/send/x",
        "https://fcm.gооgleapis.com/fcm/send/x",
        "https://fcm.xn--ggleapis-n0a.com/fcm/send/x",
        "https://wеb.push.apple.com/x",
        "https://web.push.apple.co/x",
        "https://web.push.apple.com\u{200b}/x",
        "https://web\u{ad}.push.apple.com/x",
        // Ports.
        "https://web.push.apple.com:80/x",
        "https://web.push.apple.com:8443/x",
        "https://web.push.apple.com:/x",
        "https://web.push.apple.com:0443/x",
        "https://web.push.apple.com:443:443/x",
        "https://web.push.apple.com:-443/x",
        "https://web.push.apple.com:443x/x",
        // Paths.
        "https://web.push.apple.com",
        "https://web.push.apple.com/",
        "https://web.push.apple.com?x",
        "https://web.push.apple.com#/x",
        "https://web.push.apple.com/x#fragment",
        "https://web.push.apple.com/x y",
        "https://web.push.apple.com/x\r\nHost: evil.example",
        "https://web.push.apple.com/é",
        "https://web.push.apple.com/%",
        "https://web.push.apple.com/%zz",
        "https://web.push.apple.com/x\\y",
        "https://web.push.apple.com/../x",
        "https://fcm.googleapis.com/",
        "https://fcm.googleapis.com/fcm/send",
        "https://fcm.googleapis.com/fcm/send/",
        "https://fcm.googleapis.com/v1/projects/p/messages:send",
        "https://fcm.googleapis.com/FCM/send/x",
        "https://fcm.googleapis.com//fcm/send/x",
        "https://fcm.googleapis.com/fcm/send/../../v1/projects/p/messages:send",
        "https://fcm.googleapis.com/fcm/send/%2e%2e/%2E%2e/v1/projects/p/messages:send",
        "https://fcm.googleapis.com/fcm/send/.%2e/x",
        "https://fcm.googleapis.com/fcm/send/./x",
        "https://fcm.googleapis.com/fcm/send/..%2f..%2Fv1/projects/p/messages:send",
        "https://fcm.googleapis.com/wp/..%5c..%5cv1/x",
        long.as_str(),
    ];
    assert!(hostile.len() >= 60);
    for url in hostile {
        assert_eq!(service_of(url, ""), None, "{url:?}");
    }
    assert_eq!(service_of(&long[..2_048], "").as_deref(), Some("apple"));
}

#[test]
fn an_operators_hosts_are_exact_and_keep_the_rules_of_paths() {
    let more = "Push.Example.org, jmt17.google.com ,android.googleapis.com";
    assert_eq!(service_of("https://push.example.org/up?id=1", more).as_deref(), Some("push.example.org"));
    assert_eq!(service_of("https://jmt17.google.com/fcm/send/x", more).as_deref(), Some("jmt17.google.com"));
    for other in [
        "https://a.push.example.org/x",
        "https://push.example.org:8443/x",
        "https://push.example.org./x",
        "https://example.org/x",
        "https://jmt17.google.com/search?q=x",
        "https://android.googleapis.com/x",
    ] {
        assert_eq!(service_of(other, more), None, "{other}");
    }
    assert_eq!((Hosts::parse(""), Hosts::parse(" , ")), (Some(Hosts::default()), Some(Hosts::default())));
    for bad in [
        "https://push.example.org",
        "push.example.org/x",
        "push.example.org:443",
        "*.example.org",
        "localhost",
        "127.0.0.1",
        "[::1]",
        "a b.example",
        "push.example.org.",
        "пуш.example",
        "1.2",
    ] {
        assert_eq!(Hosts::parse(bad), None, "{bad}");
    }
}
