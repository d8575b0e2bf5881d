use super::*;
use crate::wire::queue::{BodyFeed, body_queue};

/// The times are real, so what must not happen has ten times the time that it would take.
fn body(pause: Duration, rate: u32) -> (BodyFeed, RequestBody) {
    let (feed, stream) = body_queue();
    let pace = BodyPace {
        pause,
        rate,
        most: 10_000,
    };
    (feed, RequestBody::new(stream, Framing::Chunked, pace))
}

/// Feeds so many bytes every 20 ms, so many times; how the body ended, and after how long.
async fn fed(pace: (Duration, u32), bytes: usize, times: u32) -> (Result<bool, BodyError>, Duration) {
    let (feed, mut body) = body(pace.0, pace.1);
    let began = Instant::now();
    let feeding = async {
        for _ in 0..times {
            sleep(Duration::from_millis(20)).await;
            feed.push(Bytes::from(vec![b'x'; bytes]));
        }
        feed.end(Ok(()));
    };
    let reading = async { (body.read_ahead(usize::MAX).await, began.elapsed()) };
    futures_util::future::join(reading, feeding).await.0
}

#[tokio::test]
async fn a_body_that_trickles_ends_in_bounded_time() {
    let pause = Duration::from_millis(400);
    let (ended, after) = fed((pause, 1000), 1, 200).await;
    assert_eq!(ended, Err(BodyError::TooSlow));
    assert!(after >= pause && after < Duration::from_secs(3), "{after:?}");
}

#[tokio::test]
async fn a_slow_link_is_not_cut_off() {
    let pause = Duration::from_millis(400);
    // It lasts longer than a pause may, and brings more than is asked for; or nothing is asked for.
    for (rate, bytes) in [(100, 100), (0, 1)] {
        let (ended, after) = fed((pause, rate), bytes, 30).await;
        assert_eq!(ended, Ok(true), "{rate}");
        assert!(after > pause, "{after:?}");
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
