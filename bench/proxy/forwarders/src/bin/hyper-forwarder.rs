//! Forwards every request with hyper, and checks nothing: the least that a proxy on hyper costs.

use std::net::Ipv4Addr;
use std::sync::Arc;

use forwarders::{Arguments, Failure, USER};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, HeaderName, HeaderValue};
use hyper::http::uri::{Authority, Scheme, Uri};
use hyper::service::service_fn;
use hyper::{Request, Response, Version};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

type Upstream = Client<HttpConnector, Incoming>;

fn main() -> Result<(), Failure> {
    let arguments = Arguments::read()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(arguments.workers)
        .enable_all()
        .build()?;
    runtime.block_on(listen(arguments))
}

async fn listen(arguments: Arguments) -> Result<(), Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, arguments.port)).await?;
    let authority: Authority = format!("127.0.0.1:{}", arguments.upstream).parse()?;
    let acceptor = arguments.tls.map(|config| TlsAcceptor::from(Arc::new(config)));
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client: Upstream = Client::builder(TokioExecutor::new()).build(connector);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (client, authority, acceptor) = (client.clone(), authority.clone(), acceptor.clone());
        // A failed connection shows at its client, which counts it.
        tokio::spawn(async move {
            match acceptor {
                Some(acceptor) => serve(acceptor.accept(stream).await?, client, authority).await,
                None => serve(stream, client, authority).await,
            }
        });
    }
}

async fn serve<S>(stream: S, client: Upstream, authority: Authority) -> Result<(), Failure>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(|request| forward(client.clone(), authority.clone(), request));
    Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), service)
        .await
}

async fn forward(
    client: Upstream,
    authority: Authority,
    mut request: Request<Incoming>,
) -> Result<Response<Incoming>, Failure> {
    let mut parts = std::mem::take(request.uri_mut()).into_parts();
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = Some(authority);
    *request.uri_mut() = Uri::from_parts(parts)?;
    *request.version_mut() = Version::HTTP_11;
    request.headers_mut().remove(AUTHORIZATION);
    request
        .headers_mut()
        .insert(HeaderName::from_static(USER.0), HeaderValue::from_static(USER.1));
    Ok(client.request(request).await?)
}
