//! Forwards every request with actix-web and its client awc, and checks nothing: the least that a proxy on actix costs.

use std::net::Ipv4Addr;

use actix_web::body::SizedStream;
use actix_web::http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue,
};
use actix_web::{App, Error, HttpRequest, HttpResponse, HttpServer, error, web};
use awc::Client;
use forwarders::{Arguments, Failure, USER};

fn main() -> Result<(), Failure> {
    let Arguments {
        port,
        upstream,
        workers,
        tls,
    } = Arguments::read()?;
    actix_web::rt::System::new().block_on(async move {
        let server = HttpServer::new(move || {
            App::new()
                .app_data(web::Data::new(Client::new()))
                .app_data(web::Data::new(format!("http://127.0.0.1:{upstream}")))
                .default_service(web::to(forward))
        })
        .workers(workers)
        .tcp_nodelay(true);
        let address = (Ipv4Addr::LOCALHOST, port);
        let server = match tls {
            Some(config) => server.bind_rustls_0_23(address, config)?,
            None => server.bind(address)?,
        };
        Ok(server.run().await?)
    })
}

async fn forward(
    request: HttpRequest,
    payload: web::Payload,
    client: web::Data<Client>,
    upstream: web::Data<String>,
) -> Result<HttpResponse, Error> {
    let target = request
        .uri()
        .path_and_query()
        .map_or("/", |target| target.as_str());
    let mut call = client
        .request_from(format!("{}{target}", upstream.as_str()), request.head())
        .no_decompress();
    call.headers_mut().remove(AUTHORIZATION);
    call.headers_mut()
        .insert(HeaderName::from_static(USER.0), HeaderValue::from_static(USER.1));
    let sent = match length(request.headers()) {
        Some(length) if length > 0 => call.send_body(SizedStream::new(length, payload)).await,
        _ => call.send().await,
    };
    let response = sent.map_err(error::ErrorBadGateway)?;
    let mut answer = HttpResponse::build(response.status());
    for (name, value) in response
        .headers()
        .iter()
        .filter(|(name, _)| *name != CONNECTION && *name != CONTENT_LENGTH)
    {
        answer.append_header((name.clone(), value.clone()));
    }
    match length(response.headers()) {
        Some(length) => Ok(answer.body(SizedStream::new(length, response))),
        None => Ok(answer.streaming(response)),
    }
}

fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
