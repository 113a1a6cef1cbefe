//! The types of `wasi:http` 0.2, as the gateway needs them.

use crate::runtime::log_problem;

edgekeeper_component::wasi_http!(wasi::http::types, OutgoingRequest);
