//! Puts a component of middleware before another one, as Spin does: the middleware's import of the handler becomes the
//! other's export.

use anyhow::{Context as _, Result};
use wac_graph::types::Package;
use wac_graph::{CompositionGraph, EncodeOptions, NodeId};

const HANDLER: &str = "wasi:http/handler@0.3.0";

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut next = |what| {
        arguments
            .next()
            .with_context(|| format!("usage: compose MIDDLEWARE APP OUT; {what} is missing"))
    };
    let (middleware, app, out) = (next("MIDDLEWARE")?, next("APP")?, next("OUT")?);

    let mut graph = CompositionGraph::new();
    let app = instantiate(&mut graph, "app", &app)?;
    let middleware = instantiate(&mut graph, "middleware", &middleware)?;
    let behind = graph.alias_instance_export(app, HANDLER)?;
    graph.set_instantiation_argument(middleware, HANDLER, behind)?;
    let before = graph.alias_instance_export(middleware, HANDLER)?;
    graph.export(before, HANDLER)?;
    std::fs::write(out, graph.encode(EncodeOptions::default())?)?;
    Ok(())
}

fn instantiate(graph: &mut CompositionGraph, name: &str, file: &str) -> Result<NodeId> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {file}"))?;
    let package = Package::from_bytes(name, None, bytes, graph.types_mut())
        .with_context(|| format!("{file} is not a component"))?;
    let package = graph.register_package(package)?;
    Ok(graph.instantiate(package))
}
