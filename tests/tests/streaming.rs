//! Bodies larger than memory should be: streamed both ways, with back-pressure, and let go when a side leaves.

use tokenward_tests::{Call, Client, Proxy, Setup, TestToken, Upstream, eventually};

const MIB: u64 = 1 << 20;
/// What the proxy's memory may grow by: more than its buffers, and far less than what is sent.
const SLACK: u64 = 32 * MIB;

/// What may be under way at most: the proxy's own share, and the kernel's buffers of two connections, both sides of each. They
/// grow to tens of MiB where the system lets them.
fn under_way() -> u64 {
    let most = |name: &str| -> u64 {
        let text = std::fs::read_to_string(format!("/proc/sys/net/ipv4/{name}")).unwrap_or_default();
        text.split_whitespace()
            .last()
            .and_then(|word| word.parse().ok())
            .unwrap_or(64 * MIB)
    };
    SLACK + 2 * (most("tcp_rmem") + most("tcp_wmem"))
}

fn bed() -> (Upstream, TestToken, Proxy) {
    let upstream = Upstream::start();
    let token = TestToken::new("all", &[".*"]);
    let proxy = Proxy::start(&Setup::new(upstream.port()).token(&token));
    // What the first call costs belongs to the process, not to the body.
    assert_eq!(
        Client::connect(proxy.port())
            .send(&Call::get("/rest/warm").bearer(&token))
            .status,
        200
    );
    (upstream, token, proxy)
}

fn upload_head(token: &TestToken, target: &str, length: u64) -> Vec<u8> {
    let framing = format!("Content-Length: {length}\r\nContent-Type: application/octet-stream\r\n");
    format!(
        "PUT {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {}\r\n{framing}\r\n",
        token.bearer()
    )
    .into_bytes()
}

#[test]
fn a_large_upload_passes_in_constant_memory() {
    let (upstream, token, proxy) = bed();
    let before = proxy.memory_kib("VmHWM");
    let length = 256 * MIB;
    let mut client = Client::connect(proxy.port());
    client
        .write(&upload_head(&token, "/rest/upload", length))
        .unwrap();
    let piece = vec![b'x'; 1 << 20];
    for _ in 0..length / MIB {
        client.write(&piece).unwrap();
    }
    assert_eq!(client.answer(false).unwrap().status, 200);
    assert_eq!(upstream.seen().last().map(|request| request.length), Some(length));
    let grown = proxy.memory_kib("VmHWM") - before;
    assert!(grown * 1024 < SLACK, "grew by {grown} KiB");
}

#[test]
fn a_chunked_upload_passes_whole() {
    let (upstream, token, proxy) = bed();
    let mut client = Client::connect(proxy.port());
    let head = format!(
        "POST /rest/upload HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {}\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n",
        token.bearer()
    );
    client.write(head.as_bytes()).unwrap();
    let mut chunk = b"100000\r\n".to_vec();
    chunk.resize(chunk.len() + 0x10_0000, b'x');
    chunk.extend_from_slice(b"\r\n");
    for _ in 0..8 {
        client.write(&chunk).unwrap();
    }
    client.write(b"0\r\n\r\n").unwrap();
    assert_eq!(client.answer(false).unwrap().status, 200);
    assert_eq!(
        upstream.seen().last().map(|request| request.length),
        Some(8 * MIB)
    );
}

#[test]
fn an_upstream_that_does_not_read_holds_the_sender_back() {
    let (upstream, token, proxy) = bed();
    let before = proxy.memory_kib("VmHWM");
    let length = 2 * under_way();
    let mut client = Client::connect(proxy.port());
    client.write(&upload_head(&token, "/rest/hold", length)).unwrap();
    let sent = std::sync::atomic::AtomicU64::new(0);
    std::thread::scope(|scope| {
        let sending = scope.spawn(|| {
            let piece = vec![b'x'; 64 << 10];
            for _ in 0..length / (64 << 10) {
                client.write(&piece).unwrap();
                sent.fetch_add(64 << 10, std::sync::atomic::Ordering::SeqCst);
            }
            client.answer(false).unwrap()
        });
        // Held back: the count stands still although the sender goes on trying.
        let stands = || sent.load(std::sync::atomic::Ordering::SeqCst);
        let mut last = (stands(), std::time::Instant::now());
        let held = eventually("the sender is held back", || {
            let now = stands();
            if now != last.0 || now == 0 {
                last = (now, std::time::Instant::now());
            }
            (last.1.elapsed().as_millis() > 500).then_some(now)
        });
        assert!(
            held < under_way(),
            "{held} bytes went somewhere while the upstream read nothing"
        );
        upstream.release();
        assert_eq!(sending.join().unwrap().status, 200);
    });
    assert_eq!(upstream.read(), length);
    assert!((proxy.memory_kib("VmHWM") - before) * 1024 < SLACK);
}

#[test]
fn an_endless_answer_flows_in_constant_memory_and_ends_with_its_client() {
    let (upstream, token, proxy) = bed();
    let before = proxy.memory_kib("VmHWM");
    let mut client = Client::connect(proxy.port());
    client
        .write(&Call::get("/rest/endless").bearer(&token).bytes("127.0.0.1"))
        .unwrap();
    assert_eq!(client.head().unwrap().status, 200);
    let mut buffer = vec![0; 256 << 10];
    let mut got = 0;
    while got < 128 * MIB {
        got += u64::try_from(client.read(&mut buffer).unwrap()).unwrap();
    }
    // A client that stops reading stops the upstream.
    let mut last = (upstream.written(), std::time::Instant::now());
    let written = eventually("the upstream is held back", || {
        let now = upstream.written();
        if now != last.0 {
            last = (now, std::time::Instant::now());
        }
        (last.1.elapsed().as_millis() > 500).then_some(now)
    });
    assert!(
        written < got + under_way(),
        "{written} bytes written for {got} read"
    );
    assert!((proxy.memory_kib("VmHWM") - before) * 1024 < SLACK);

    let open = upstream.open();
    drop(client);
    eventually("the upstream's connection ends with the client's", || {
        (upstream.open() < open).then_some(())
    });
}

#[test]
fn an_early_answer_arrives_during_the_upload() {
    let (upstream, token, proxy) = bed();
    let mut client = Client::connect(proxy.port());
    client
        .write(&upload_head(&token, "/rest/early", 1 << 30))
        .unwrap();
    let piece = vec![b'x'; 64 << 10];
    // The first 64 KiB are read before the upstream is contacted.
    client.write(&piece).unwrap();
    client.write(&piece).unwrap();
    let answer = client.answer(false).unwrap();
    assert_eq!((answer.status, answer.text().as_str()), (413, "early"));
    assert_eq!(upstream.count(), 2);
}

#[test]
fn a_client_that_leaves_within_its_upload_frees_the_upstream() {
    let (upstream, token, proxy) = bed();
    let mut client = Client::connect(proxy.port());
    client
        .write(&upload_head(&token, "/rest/upload", 1 << 30))
        .unwrap();
    client.write(&vec![b'x'; 1 << 20]).unwrap();
    eventually("the upload has begun", || (upstream.count() == 2).then_some(()));
    let open = upstream.open();
    drop(client);
    eventually("the upstream's connection ends", || {
        (upstream.open() < open).then_some(())
    });
}

#[test]
fn an_expected_continue_comes_only_after_the_head_has_passed() {
    let (upstream, token, proxy) = bed();
    let ask = |token: &TestToken, target: &str| {
        let mut client = Client::connect(proxy.port());
        let head = String::from_utf8(upload_head(token, target, 5)).unwrap();
        client
            .write(
                head.replace("\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n")
                    .as_bytes(),
            )
            .unwrap();
        let mut buffer = [0; 4096];
        let got = client.read(&mut buffer).unwrap();
        (client, String::from_utf8_lossy(&buffer[..got]).into_owned())
    };
    let (mut client, interim) = ask(&token, "/rest/upload");
    assert!(interim.starts_with("HTTP/1.1 100 "), "{interim}");
    client.write(b"hello").unwrap();
    assert_eq!(client.answer(false).unwrap().status, 200);

    let stranger = TestToken::new("stranger", &[".*"]);
    let (_, answer) = ask(&stranger, "/rest/upload");
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    let (_, answer) = ask(&token, "/rest/a/../b");
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert_eq!(upstream.count(), 2);
}
