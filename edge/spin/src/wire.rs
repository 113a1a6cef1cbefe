//! The types of `wasi:http` 0.3, as the gateway needs them.

use crate::runtime::log_problem;

edgekeeper_component::wasi_http!(spin_sdk::wasip3::http::types, Request);
