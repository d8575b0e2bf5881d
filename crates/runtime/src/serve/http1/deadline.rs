//! The deadlines of a connection, on one timer.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// Reason for waiting for the client. It lasts until it is cleared or replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    /// Wait for the first byte of a head.
    Idle,
    /// Wait for the rest of a head.
    Head,
    /// Wait for the rest of an unwanted body.
    Leftover,
    /// Wait for the next check whether the client is still there, while nothing is read from it.
    Look,
}

/// Two deadlines: one for reading from the client and one for writing to it. The timer runs until the earlier one.
#[derive(Debug, Default)]
pub(super) struct Deadlines {
    reading: Option<(Wait, Instant)>,
    writing: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Deadlines {
    /// Ready when the client has been waited for this long; counts from the first poll for this reason.
    pub(super) fn poll_reading(&mut self, cx: &mut Context<'_>, wait: Wait, after: Duration) -> Poll<()> {
        let at = match self.reading {
            Some((running, at)) if running == wait => at,
            _ => Instant::now() + after,
        };
        self.reading = Some((wait, at));
        self.poll_until(cx, at)
    }

    /// Ready when the client has accepted nothing for this long; counts from the first poll.
    pub(super) fn poll_writing(&mut self, cx: &mut Context<'_>, after: Duration) -> Poll<()> {
        let at = *self.writing.get_or_insert_with(|| Instant::now() + after);
        self.poll_until(cx, at)
    }

    /// Ends the deadline for reading, since the client sent bytes or is no longer waited for.
    pub(super) fn clear_reading(&mut self) {
        self.reading = None;
    }

    /// Ends the deadline for writing, since the client accepted bytes.
    pub(super) fn clear_writing(&mut self) {
        self.writing = None;
    }

    fn poll_until(&mut self, cx: &mut Context<'_>, at: Instant) -> Poll<()> {
        let others = [self.reading.map(|(_, at)| at), self.writing];
        let first = others.into_iter().flatten().fold(at, Instant::min);
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(first)));
        if timer.deadline() != first {
            timer.as_mut().reset(first);
        }
        ready!(timer.as_mut().poll(cx));
        if first < at {
            // The other deadline has passed and its own waiter polls it. This one needs the timer again.
            timer.as_mut().reset(at);
            return timer.as_mut().poll(cx);
        }
        Poll::Ready(())
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    const SHORT: Duration = Duration::from_millis(10);
    const LONG: Duration = Duration::from_secs(3600);

    #[tokio::test]
    async fn a_deadline_counts_from_when_its_reason_began() {
        let mut deadlines = Deadlines::default();
        let mut begin = async |wait, cleared| {
            if cleared {
                deadlines.clear_reading();
            }
            let late = poll_fn(|cx| Poll::Ready(deadlines.poll_reading(cx, wait, LONG))).await;
            assert!(late.is_pending());
            deadlines.reading.unwrap().1
        };
        let head = begin(Wait::Head, false).await;
        assert_eq!(begin(Wait::Head, false).await, head);
        let idle = begin(Wait::Idle, false).await;
        assert!(idle > head, "another reason");
        assert!(begin(Wait::Idle, true).await > idle, "cleared");
    }

    #[tokio::test]
    async fn both_deadlines_end_on_the_one_timer() {
        for (reading, writing) in [(SHORT, SHORT * 3), (SHORT * 3, SHORT)] {
            let mut deadlines = Deadlines::default();
            let began = Instant::now();
            let mut ends = [None, None];
            poll_fn(|cx| {
                if ends[0].is_none() && deadlines.poll_reading(cx, Wait::Look, reading).is_ready() {
                    ends[0] = Some(began.elapsed());
                }
                if ends[1].is_none() && deadlines.poll_writing(cx, writing).is_ready() {
                    ends[1] = Some(began.elapsed());
                }
                match ends {
                    [Some(_), Some(_)] => Poll::Ready(()),
                    _ => Poll::Pending,
                }
            })
            .await;
            assert!(ends[0] >= Some(reading) && ends[1] >= Some(writing), "{ends:?}");
        }
    }

    #[tokio::test]
    async fn a_deadline_that_nobody_waits_for_any_longer_holds_no_other_up() {
        let mut deadlines = Deadlines::default();
        let early = poll_fn(|cx| Poll::Ready(deadlines.poll_reading(cx, Wait::Look, SHORT))).await;
        assert!(early.is_pending());
        poll_fn(|cx| deadlines.poll_writing(cx, SHORT * 3)).await;
    }
}
