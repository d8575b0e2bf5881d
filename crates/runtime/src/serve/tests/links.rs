//! Links to the upstream's own origin in its answers.

use tokio::io::AsyncWriteExt;

use super::harness::{Behind, SECRET, Scene, field, request, token};

/// An upstream that answers with a link to itself, in a body of this type, in two pieces cut within the link.
async fn linking(more: &'static str) -> Behind {
    Behind::new(move |head, mut stream| async move {
        let own = stream.local_addr().unwrap();
        let body = format!("{{\"self\":\"http://{own}/rest/a/1\"}}");
        let (one, other) = body.split_at(20);
        let length = body.len();
        let answer =
            format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nContent-MD5: x\r\n{more}\r\n\r\n");
        stream.write_all(answer.as_bytes()).await.unwrap();
        if head.starts_with("HEAD") {
            return Some(stream);
        }
        stream.write_all(one.as_bytes()).await.unwrap();
        stream.flush().await.unwrap();
        tokio::task::yield_now().await;
        stream.write_all(other.as_bytes()).await.unwrap();
        Some(stream)
    })
    .await
}

fn scene(behind: &Behind, on: bool) -> Scene {
    let policy = token("t", SECRET, "user = \"u\"", "/rest/.*");
    Scene::with(behind.addr, &policy, |config| config.answers.rewrite_links = on)
}

#[tokio::test]
async fn links_in_json_become_public_where_that_is_switched_on() {
    for kind in ["application/json", "application/hal+json; charset=utf-8"] {
        let line: &'static str = Box::leak(format!("Content-Type: {kind}").into_boxed_str());
        let behind = linking(line).await;
        let scene = scene(&behind, true);
        let asked = request(
            "GET /rest/a",
            "Accept-Encoding: gzip\r\nRange: bytes=0-9\r\nIf-Range: x\r\n",
        );
        let reply = scene.ask(&asked).await;
        assert_eq!(
            reply.body, "{\"self\":\"http://127.0.0.1:8080/rest/a/1\"}",
            "{kind}"
        );
        assert_eq!(reply.header("content-md5"), None);
        let head = behind.heads()[0].clone();
        assert_eq!(field(&head, "accept-encoding"), Some("identity"));
        assert_eq!((field(&head, "range"), field(&head, "if-range")), (None, None));
        // Its length would be another's.
        let mut client = scene.connect().await;
        client.send(&request("HEAD /rest/a", "")).await;
        let (status, head) = client.head().await;
        assert_eq!((status, field(&head, "content-length")), (200, None));
        assert_eq!(scene.audit_when(|entries| entries.len() == 2).await.len(), 2);
    }
}

#[tokio::test]
async fn other_answers_and_other_settings_change_nothing() {
    for (on, line) in [
        (false, "Content-Type: application/json"),
        (true, "Content-Type: text/plain"),
        (true, "Content-Type: application/json\r\nContent-Encoding: x"),
    ] {
        let behind = linking(line).await;
        let reply = scene(&behind, on).ask(&request("GET /rest/a", "")).await;
        let own = behind.addr;
        assert_eq!(
            reply.body,
            format!("{{\"self\":\"http://{own}/rest/a/1\"}}"),
            "{line}"
        );
        assert_eq!(reply.header("content-md5"), Some("x"), "{line}");
    }
}

/// An upstream whose headers name its own address.
async fn pointing() -> Behind {
    Behind::new(move |_, mut stream| async move {
        let own = stream.local_addr().unwrap();
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nLink: <http://{own}/rest/a?page=2>; rel=\"next\", </rest/b>; rel=last\r\n\
             Link: <http://{own}/rest/c>; title=\"a, <b>\"\r\nContent-Location: http://{own}/rest/a\r\n\
             Refresh: 5; url=http://{own}/rest/d\r\n\r\n"
        );
        stream.write_all(answer.as_bytes()).await.unwrap();
        Some(stream)
    })
    .await
}

#[tokio::test]
async fn references_in_headers_lead_to_the_proxy_whatever_the_setting() {
    let behind = pointing().await;
    for on in [false, true] {
        let reply = scene(&behind, on).ask(&request("GET /rest/a", "")).await;
        let public = "http://127.0.0.1:8080";
        for line in [
            format!("link: <{public}/rest/a?page=2>; rel=\"next\", </rest/b>; rel=last"),
            format!("link: <{public}/rest/c>; title=\"a, <b>\""),
            format!("content-location: {public}/rest/a"),
            format!("refresh: 5; url={public}/rest/d"),
        ] {
            assert!(
                reply.head.lines().any(|found| found == line),
                "{line} in {reply:?}"
            );
        }
        assert!(!reply.head.contains(&behind.addr.to_string()), "{reply:?}");
    }
}

#[tokio::test]
async fn responses_that_show_the_upstream_are_counted() {
    for (line, count) in [
        ("Content-Type: application/json", 2),
        ("Content-Type: text/html; charset=utf-8", 2),
        ("Content-Type: application/octet-stream", 0),
        ("Content-Type: application/json\r\nContent-Encoding: x", 0),
    ] {
        let behind = linking(line).await;
        let shown = scene(&behind, false);
        for _ in 0..2 {
            shown.ask(&request("GET /rest/a", "")).await;
        }
        let counted = format!("tokenward_upstream_address_shown_total {count}");
        shown.counted(&[&counted]).await;
    }
    // JSON that is rewritten shows nothing; pages are not rewritten.
    for (line, count) in [
        ("Content-Type: application/json", 0),
        ("Content-Type: text/html", 1),
    ] {
        let behind = linking(line).await;
        let rewriting = scene(&behind, true);
        rewriting.ask(&request("GET /rest/a", "")).await;
        let counted = format!("tokenward_upstream_address_shown_total {count}");
        rewriting.counted(&[&counted]).await;
    }
    // Other headers are not rewritten. A response counts once.
    let behind = Behind::new(|_, mut stream| async move {
        let own = stream.local_addr().unwrap();
        let body = format!("see http://{own}/rest/a now");
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nContent-Type: text/plain\r\nX-Next: http://{own}/rest/b\r\n\r\n{body}"
        );
        stream.write_all(answer.as_bytes()).await.unwrap();
        Some(stream)
    })
    .await;
    let shown = scene(&behind, false);
    shown.ask(&request("GET /rest/a", "")).await;
    shown.counted(&["tokenward_upstream_address_shown_total 1"]).await;
    // References that are rewritten do not show it.
    let behind = pointing().await;
    let rewritten = scene(&behind, false);
    rewritten.ask(&request("GET /rest/a", "")).await;
    rewritten
        .counted(&["tokenward_upstream_address_shown_total 0"])
        .await;
}
