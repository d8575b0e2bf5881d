//! Bodies of requests. The listener has few connections, and everybody who reaches it can open one, so that no body may keep its
//! connection for long.

use std::cell::RefCell;
use std::io::ErrorKind;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::HttpMessage;
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::error::PayloadError;
use bytes::Bytes;
use futures_util::Stream;
use tokenward_console::links;
use tokio::time::Sleep;

/// Time for the form of the login, which everybody may send.
const OF_LOGIN: Duration = Duration::from_secs(10);
/// Time for any other body. Only that of an admitted caller is waited for, and it may be large.
const OF_OTHERS: Duration = Duration::from_secs(60);

/// The body of a request, which must arrive in time.
#[derive(Clone)]
pub(super) struct Body(Rc<RefCell<Arriving>>);

struct Arriving {
    payload: Payload,
    deadline: Pin<Box<Sleep>>,
    is_late: bool,
}

impl Body {
    /// Limits the time for the body of a request, if there is one.
    pub(super) fn limit(request: &mut ServiceRequest) -> Option<Self> {
        let payload = match request.take_payload() {
            Payload::None => return None,
            payload => payload,
        };
        // As routes read it: the sender may have encoded letters.
        let patience = match request.match_info().as_str() {
            links::LOGIN => OF_LOGIN,
            _ => OF_OTHERS,
        };
        let body = Self::new(payload, patience);
        request.set_payload(Payload::Stream {
            payload: Box::pin(body.clone()),
        });
        Some(body)
    }

    fn new(payload: Payload, patience: Duration) -> Self {
        Self(Rc::new(RefCell::new(Arriving {
            payload,
            deadline: Box::pin(tokio::time::sleep(patience)),
            is_late: false,
        })))
    }

    /// Whether somebody waited for the body in vain.
    pub(super) fn is_late(&self) -> bool {
        self.0.borrow().is_late
    }
}

impl Stream for Body {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut body = self.0.borrow_mut();
        // The deadline comes first, so that a body that never ends has one too.
        if body.is_late || body.deadline.as_mut().poll(context).is_ready() {
            body.is_late = true;
            return Poll::Ready(Some(Err(PayloadError::Io(ErrorKind::TimedOut.into()))));
        }
        Pin::new(&mut body.payload).poll_next(context)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{StreamExt, stream};

    use super::*;

    #[tokio::test]
    async fn a_body_arrives_in_time_or_not_at_all() {
        let of = |patience| {
            let one = stream::iter([Ok(Bytes::from_static(b"a"))]);
            let payload: Payload = Payload::Stream {
                payload: Box::pin(one.chain(stream::pending())),
            };
            Body::new(payload, patience)
        };
        let mut body = of(OF_OTHERS);
        assert_eq!(body.next().await.unwrap().unwrap(), "a");
        assert!(!body.is_late());
        let mut body = of(Duration::ZERO);
        for _ in 0..2 {
            assert!(body.next().await.unwrap().is_err());
            assert!(body.is_late());
        }
    }
}
