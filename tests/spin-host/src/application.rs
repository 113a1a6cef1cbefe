//! Starts an application: puts the manifest, the deployment and the components together.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use anyhow::{Context as _, Result, anyhow, ensure};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use wasmtime_wasi_http::handler::ProxyHandler;

use crate::allowed_hosts::AllowedHosts;
use crate::arguments::Up;
use crate::instance::{self, Component, Factory, Lifetime};
use crate::key_value::Store;
use crate::manifest::{self, Manifest};
use crate::mounts::Mounts;
use crate::outbound::Forbidden;
use crate::route::Route;
use crate::runtime_config::{DEFAULT_STORE, RuntimeConfig};
use crate::server::Server;
use crate::variables::{self, Variables};

/// Runs the application until SIGTERM or SIGINT.
///
/// # Errors
/// It cannot be started; the error says what to change.
pub async fn up(arguments: Up) -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (manifest, folder) = Manifest::read(&arguments.from)?;
    let address = Arc::default();
    let (server, _mounts) = assemble(&arguments, manifest, &folder, &address)?;
    // Last, so that whoever waits for the port finds an application that answers.
    let listener = listen(arguments.listen).await?;
    announce(
        &server,
        *address.get_or_init(|| listener.local_addr().unwrap_or(arguments.listen)),
    )?;
    tokio::select! {
        served = Arc::new(server).serve(listener) => served,
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .map_err(|error| match error.kind() {
            ErrorKind::AddrInUse => anyhow!("{address} is already in use: give another --listen"),
            _ => anyhow!("cannot listen on {address}: {error}"),
        })
}

fn assemble(
    arguments: &Up,
    manifest: Manifest,
    folder: &Path,
    address: &Arc<OnceLock<SocketAddr>>,
) -> Result<(Server, Vec<Mounts>)> {
    let config = RuntimeConfig::read(arguments.runtime_config_file.as_deref())?;
    let mut providers = vec![variables::provider(variables::from_arguments(
        &arguments.variable,
    )?)];
    providers.extend(config.providers());
    let variables = Variables::resolve(&manifest.variables, &providers)?;

    let state_dir = config.state_dir(arguments.state_dir.as_deref(), folder);
    let stores: Arc<BTreeMap<String, Arc<Store>>> = Arc::new(
        config
            .stores(state_dir.as_deref())
            .into_iter()
            .map(|(label, store)| (label, Arc::new(store)))
            .collect(),
    );
    if let Some(store) = stores.get(DEFAULT_STORE) {
        for (key, value) in &arguments.key_value {
            store
                .set(key, value.as_bytes())
                .with_context(|| format!("--key-value {key}"))?;
        }
    }

    let cache = if arguments.disable_cache {
        None
    } else {
        cache_folder()?
    };
    let engine = instance::engine(cache.as_deref())?;
    let traps = Arc::default();
    let mut handlers = BTreeMap::new();
    let mut mounts = Vec::new();
    for (id, component) in &manifest.components {
        let in_component = || format!("component {id:?}");
        let files = Mounts::copy(id, &component.files, folder).with_context(in_component)?;
        let with_rights = Component {
            id: id.clone(),
            variables: variables
                .of_component(&component.variables)
                .with_context(in_component)?,
            environment: component
                .environment
                .clone()
                .into_iter()
                .chain(arguments.environment.clone())
                .collect(),
            allowed_hosts: AllowedHosts::parse(&component.allowed_outbound_hosts, &variables)
                .with_context(in_component)?,
            key_value_stores: known_stores(component, &stores).with_context(in_component)?,
            stores: Arc::clone(&stores),
            files: files.as_ref().map(|files| files.folder().to_owned()),
            address: Arc::clone(address),
            lifetime: lifetime(arguments),
        };
        let file = folder.join(&component.source);
        let factory = Factory::new(&engine, &file, with_rights, &traps)
            .with_context(|| format!("component {id:?}, {}", file.display()))?;
        handlers.insert(id.clone(), ProxyHandler::new(factory));
        mounts.extend(files);
    }

    let mut routes = Vec::new();
    for trigger in &manifest.triggers.http {
        // Manifest::read has seen to it that the component exists.
        if let Some(handler) = handlers.get(&trigger.component) {
            routes.push((Route::parse(&trigger.route)?, handler.clone()));
        }
    }
    Ok((
        Server {
            application: manifest.application,
            routes,
        },
        mounts,
    ))
}

fn known_stores(
    component: &manifest::Component,
    stores: &BTreeMap<String, Arc<Store>>,
) -> Result<std::collections::BTreeSet<String>> {
    for label in &component.key_value_stores {
        ensure!(
            stores.contains_key(label),
            "key_value_stores: {label:?} is no store of this deployment; add [key_value_store.{label}] to the \
             runtime configuration"
        );
    }
    Ok(component.key_value_stores.iter().cloned().collect())
}

const fn lifetime(arguments: &Up) -> Lifetime {
    Lifetime {
        requests: arguments.max_instance_reuse_count,
        concurrent: arguments.max_instance_concurrent_reuse_count,
        idle: arguments.idle_instance_timeout,
        request: arguments.request_timeout,
        memory: arguments.max_instance_memory,
        quiet: arguments.quiet,
        received: if arguments.hide_forbidden_headers {
            Forbidden::Listed
        } else {
            Forbidden::None
        },
    }
}

/// Where compiled components are kept: with everything else that the project caches.
fn cache_folder() -> Result<Option<PathBuf>> {
    let variable = |name| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let project = variable("EDGEKEEPER_CACHE").or_else(|| {
        let caches =
            variable("XDG_CACHE_HOME").or_else(|| Some(variable("HOME")?.join(".cache")))?;
        Some(caches.join("edgekeeper"))
    });
    Ok(project
        .map(|project| std::path::absolute(project.join("wasmtime")))
        .transpose()?)
}

/// Says what Spin says when it listens.
fn announce(server: &Server, address: SocketAddr) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\nServing http://{address}\nAvailable Routes:")?;
    for (route, handler) in &server.routes {
        let kind = if route.as_str() == route.prefix() {
            ""
        } else {
            " (wildcard)"
        };
        writeln!(
            out,
            "  {}: http://{address}{}{kind}",
            handler.state().id(),
            route.prefix()
        )?;
    }
    Ok(out.flush()?)
}
