//! Which files a command reads.

use clap::Args;

/// How a command is told which files to read.
#[derive(Debug, Args)]
pub(crate) struct Named {
    /// Oathkeeper's configuration and perhaps `edge.yml`; the rules that it names are read, too
    #[arg(value_name = "FILES")]
    pub(crate) files: Vec<String>,

    /// What Oathkeeper has no words for: `edge.yml`
    #[arg(long, value_name = "FILE")]
    pub(crate) edge: Option<String>,

    /// Look up absolute paths of rules (`file:///etc/...`) under this folder
    #[arg(long, value_name = "DIR")]
    pub(crate) root: Option<String>,
}

/// The files of one policy.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Chosen {
    pub(crate) config: String,
    pub(crate) edge: Option<String>,
}

/// The names that are looked for where none is given.
const CONFIGS: [&str; 3] = ["oathkeeper.yml", "oathkeeper.yaml", "oathkeeper.json"];
const EDGES: [&str; 2] = ["edge.yml", "edge.yaml"];

/// Looks for the files where none are named; `example` names the configuration as the command would be given it.
///
/// # Errors
/// Says that there is no configuration, and how to name one.
pub(crate) fn look(
    edge: Option<&str>,
    example: &str,
    exists: impl Fn(&str) -> bool,
) -> Result<Chosen, String> {
    let first = |names: &[&str]| {
        names
            .iter()
            .find(|name| exists(name))
            .map(|name| (*name).to_owned())
    };
    let Some(config) = first(&CONFIGS) else {
        return Err(format!(
            "there is no `oathkeeper.yml` in this folder; name Oathkeeper's configuration: `{example}`"
        ));
    };
    let edge = edge.map(str::to_owned).or_else(|| first(&EDGES));
    Ok(Chosen { config, edge })
}

/// Tells `edge.yml` from Oathkeeper's configuration by its name: `edge.yml`, `edge.staging.yaml`. Where nothing is named, it
/// looks. `command` is what was typed.
///
/// # Errors
/// Says what cannot be told apart, and what to write.
pub(crate) fn choose(
    files: &[String],
    edge: Option<&str>,
    command: &str,
    exists: impl Fn(&str) -> bool,
) -> Result<Chosen, String> {
    let is_edge = |path: &&String| {
        let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
        name.split('.').next() == Some("edge")
    };
    if files.is_empty() {
        return look(edge, &format!("{command} path/to/oathkeeper.yml"), exists);
    }
    let (edges, configs): (Vec<&String>, Vec<&String>) = files.iter().partition(is_edge);
    let config = match configs.as_slice() {
        [config] => (*config).clone(),
        [] => {
            return Err(format!(
                "which configuration? name Oathkeeper's, too: `{command} oathkeeper.yml edge.yml`"
            ));
        }
        [first, second, ..] => {
            return Err(format!(
                "both `{first}` and `{second}` would be Oathkeeper's configuration; name one, and `edge.yml` by `--edge`. The rules are found in `access_rules.repositories`"
            ));
        }
    };
    let edge = match (edges.as_slice(), edge) {
        ([], edge) => edge.map(str::to_owned),
        ([edge], None) => Some((*edge).clone()),
        _ => return Err("`edge.yml` is named twice; one is read".to_owned()),
    };
    Ok(Chosen { config, edge })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(files: &[&str], edge: Option<&str>) -> Result<(String, Option<String>), String> {
        let files: Vec<String> = files.iter().map(|file| (*file).to_owned()).collect();
        let there = |path: &str| ["oathkeeper.yaml", "edge.yml"].contains(&path);
        choose(&files, edge, "edgekeeper check", there).map(|chosen| (chosen.config, chosen.edge))
    }

    #[test]
    fn files_are_told_apart_by_their_names() {
        for (files, edge, expected) in [
            (&[][..], None, ("oathkeeper.yaml", Some("edge.yml"))),
            (&[], Some("e.yml"), ("oathkeeper.yaml", Some("e.yml"))),
            (&["a.yml"], None, ("a.yml", None)),
            (
                &["x/edge.prod.yaml", "a.yml"],
                None,
                ("a.yml", Some("x/edge.prod.yaml")),
            ),
            (&["a.yml"], Some("b.yml"), ("a.yml", Some("b.yml"))),
            (&["edges.yml"], None, ("edges.yml", None)),
        ] {
            let expected = (expected.0.to_owned(), expected.1.map(str::to_owned));
            assert_eq!(chosen(files, edge), Ok(expected), "{files:?}");
        }
    }

    #[test]
    fn what_cannot_be_told_apart_is_refused_with_what_to_write() {
        for (files, edge, message) in [
            (&["edge.yml"][..], None, "which configuration?"),
            (&["a.yml", "b.yml"], None, "both `a.yml` and `b.yml`"),
            (&["a.yml", "edge.yml"], Some("edge.yml"), "named twice"),
        ] {
            let error = chosen(files, edge).unwrap_err();
            assert!(error.contains(message), "{error}");
        }
        let nothing = choose(&[], None, "edgekeeper check", |_| false).unwrap_err();
        assert!(
            nothing.contains("there is no `oathkeeper.yml`"),
            "{nothing}"
        );
    }
}
