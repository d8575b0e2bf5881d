use tokenward_pdp::wire::queue::{BodyFeed, body_queue};

use super::*;

/// The times are real. So this is a hundred times the interval of the feeder: a busy machine does not stretch one to the other.
const PAUSE: Duration = Duration::from_secs(2);
const INTERVAL: Duration = Duration::from_millis(20);

fn body(pause: Duration, rate: u32) -> (BodyFeed, RequestBody) {
    let (feed, stream) = body_queue();
    let pace = BodyPace {
        pause,
        rate,
        most: 10_000,
    };
    (feed, RequestBody::new(stream, Framing::Chunked, pace))
}

/// Feeds so many bytes at each interval, so many times or without end; how the body ended, and after how long.
async fn fed(rate: u32, bytes: usize, times: Option<u32>) -> (Result<bool, BodyError>, Duration) {
    let (feed, mut body) = body(PAUSE, rate);
    let began = Instant::now();
    let feeding = async {
        let mut fed = 0;
        while times.is_none_or(|times| fed < times) {
            sleep(INTERVAL).await;
            feed.push(Bytes::from(vec![b'x'; bytes]));
            fed += 1;
        }
        feed.end(Ok(()));
        std::future::pending().await
    };
    tokio::select! {
        ended = body.read_ahead(usize::MAX) => (ended, began.elapsed()),
        () = feeding => unreachable!("it waits for the reader"),
    }
}

#[tokio::test]
async fn a_body_that_trickles_ends_in_bounded_time() {
    // The client would go on for ever, and the body ends nevertheless.
    let (ended, after) = fed(1000, 1, None).await;
    assert_eq!(ended, Err(BodyError::TooSlow));
    assert!(after >= PAUSE, "{after:?}");
}

#[tokio::test]
async fn a_slow_link_is_not_cut_off() {
    // It lasts longer than a pause may, and brings more than is asked for; or nothing is asked for.
    for (rate, bytes) in [(100, 50), (0, 1)] {
        let (ended, after) = fed(rate, bytes, Some(120)).await;
        assert_eq!(ended, Ok(true), "{rate}");
        assert!(after > PAUSE, "{after:?}");
    }
}

#[tokio::test]
async fn a_body_ends_at_its_limit_however_it_is_cut() {
    for pieces in [[10_000, 0], [9_000, 1_000], [10_001, 0], [9_000, 1_001]] {
        let (feed, mut body) = body(Duration::from_secs(10), 0);
        for piece in pieces {
            feed.push(Bytes::from(vec![b'x'; piece]));
        }
        feed.end(Ok(()));
        let fits = pieces.iter().sum::<usize>() <= 10_000;
        let expected = if fits {
            Ok(true)
        } else {
            Err(BodyError::TooLarge(10_000))
        };
        assert_eq!(body.read_ahead(usize::MAX).await, expected, "{pieces:?}");
    }
}

#[tokio::test]
async fn a_pause_is_told_from_a_trickle() {
    let (feed, mut body) = body(Duration::from_millis(50), 10);
    feed.push(Bytes::from_static(&[b'x'; 1000]));
    assert_eq!(body.read_ahead(usize::MAX).await, Err(BodyError::Slow));
}

#[tokio::test]
async fn time_in_which_nobody_wants_the_body_does_not_count() {
    let (feed, mut body) = body(Duration::from_millis(200), 1_000_000);
    for _ in 0..8 {
        feed.push(Bytes::from_static(b"x"));
        assert_eq!(body.read_ahead(body.ahead_len() + 1).await, Ok(false));
        sleep(Duration::from_millis(50)).await;
    }
    feed.end(Ok(()));
    assert_eq!(body.read_ahead(usize::MAX).await, Ok(true));
}
