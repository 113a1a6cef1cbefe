//! An application that knows nothing of sessions. Whoever gets here, Edgekeeper has let through, and says who it is.

use spin_sdk::http::{Request, Response};
use spin_sdk::http_service;

#[http_service]
async fn greet(request: Request) -> Response<String> {
    let who = request
        .headers()
        .get("x-user")
        .and_then(|user| user.to_str().ok())
        .unwrap_or("nobody");
    let target = request
        .uri()
        .path_and_query()
        .map_or("/", |target| target.as_str());
    Response::new(format!("{} {target} for {who}\n", request.method()))
}
