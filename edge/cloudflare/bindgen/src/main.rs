//! Turns the compiled Worker (`edgekeeper_cloudflare.wasm`) into `index.js` and `index_bg.wasm`, the pair that
//! Cloudflare's runtime loads.
//!
//! It does what the `wasm-bindgen` command does, with the settings the Worker needs, and is part of the workspace so
//! that Cargo.lock pins it together with the `wasm-bindgen` inside the Worker: the two must be the same version.
//! `scripts/build` runs it as `edgekeeper-bindgen IN.wasm OUT_DIR`.

use std::{env, process::ExitCode};

use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [input, out_dir] = arguments.as_slice() else {
        eprintln!("usage: edgekeeper-bindgen IN.wasm OUT_DIR");
        return ExitCode::from(2);
    };
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(input)
        .out_name("index")
        .typescript(false);
    // Workers load Wasm as an imported module. The reset function gives the shim a fresh instance after a trap, and the
    // abort handler reports the trap to it: without them one panic would fail every later request of the isolate.
    let generated = bindgen.module(true).and_then(|bindgen| {
        bindgen
            .reset_state_function(true)
            .force_enable_abort_handler(true)
            .generate(out_dir)
    });
    match generated {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("edgekeeper-bindgen: {input}: {error:#}");
            ExitCode::FAILURE
        }
    }
}
