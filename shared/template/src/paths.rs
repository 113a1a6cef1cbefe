//! Which fields a template reads, known without running it.

use std::collections::BTreeSet;

use crate::node::{Command, Node, Operand, Pipe, Term};
use crate::parse::Tree;

/// A value that is known to be the root's field at this path.
type Known = Option<Vec<String>>;

/// Every path read from the root, sorted, each once.
pub(crate) fn paths(tree: &Tree) -> Vec<Vec<String>> {
    let mut walk = Walk {
        tree,
        found: BTreeSet::new(),
        variables: vec![("$".to_owned(), Some(Vec::new()))],
        open: Vec::new(),
    };
    walk.nodes(&tree.root, &Some(Vec::new()));
    walk.found.into_iter().collect()
}

struct Walk<'t> {
    tree: &'t Tree,
    found: BTreeSet<Vec<String>>,
    variables: Vec<(String, Known)>,
    /// Templates being walked, with the dot they got, so that recursion ends.
    open: Vec<(String, Known)>,
}

impl Walk<'_> {
    fn nodes(&mut self, nodes: &[Node], dot: &Known) {
        for node in nodes {
            match node {
                Node::Text(_) | Node::Break | Node::Continue => {}
                Node::Action(pipe) => {
                    self.pipe(pipe, dot);
                }
                Node::If(branch) => {
                    let scope = self.variables.len();
                    self.pipe(&branch.pipe, dot);
                    self.nodes(&branch.then, dot);
                    self.nodes(&branch.otherwise, dot);
                    self.variables.truncate(scope);
                }
                Node::With(branch) => {
                    let scope = self.variables.len();
                    let inner = self.pipe(&branch.pipe, dot);
                    self.nodes(&branch.then, &inner);
                    self.nodes(&branch.otherwise, dot);
                    self.variables.truncate(scope);
                }
                Node::Range(branch) => {
                    let scope = self.variables.len();
                    self.pipe(&branch.pipe, dot);
                    for (_, known) in self.variables.iter_mut().skip(scope) {
                        *known = None;
                    }
                    self.nodes(&branch.then, &None);
                    self.nodes(&branch.otherwise, dot);
                    self.variables.truncate(scope);
                }
                Node::Template { name, pipe, .. } => {
                    let inner = pipe.as_ref().and_then(|pipe| self.pipe(pipe, dot));
                    self.template(name, inner);
                }
            }
        }
    }

    fn template(&mut self, name: &str, dot: Known) {
        let call = (name.to_owned(), dot);
        if self.open.contains(&call) || self.open.len() > 20 {
            return;
        }
        let tree = self.tree;
        let Some(nodes) = tree.defined.get(name) else {
            return;
        };
        let dot = call.1.clone();
        let outer = std::mem::replace(&mut self.variables, vec![("$".to_owned(), dot.clone())]);
        self.open.push(call);
        self.nodes(nodes, &dot);
        self.open.pop();
        self.variables = outer;
    }

    fn pipe(&mut self, pipe: &Pipe, dot: &Known) -> Known {
        let mut value = None;
        for (stage, command) in pipe.commands.iter().enumerate() {
            let known = self.command(command, dot);
            value = if stage == 0 { known } else { None };
        }
        for variable in &pipe.variables {
            if pipe.assign {
                // After `=` in one branch the variable could be either value.
                for (name, known) in &mut self.variables {
                    if name == variable {
                        *known = None;
                    }
                }
            } else {
                self.variables.push((variable.clone(), value.clone()));
            }
        }
        value
    }

    fn command(&mut self, command: &Command, dot: &Known) -> Known {
        let (first, args) = command.operands.split_first()?;
        if let Term::Function(function) = &first.term {
            let known: Vec<Known> = args.iter().map(|arg| self.operand(arg, dot)).collect();
            if matches!(function.name, "index" | "get")
                && let Some(Some(path)) = known.into_iter().next()
                && let Some(keys) = args.iter().skip(1).map(string).collect::<Option<Vec<_>>>()
            {
                let path: Vec<_> = path.into_iter().chain(keys).collect();
                self.note(&path);
                return Some(path);
            }
            return None;
        }
        for arg in args {
            self.operand(arg, dot);
        }
        let known = self.operand(first, dot);
        if args.is_empty() { known } else { None }
    }

    fn note(&mut self, path: &[String]) {
        if !path.is_empty() {
            self.found.insert(path.to_vec());
        }
    }

    /// As [`operand`](Walk::operand), and notes the path as read.
    fn operand(&mut self, operand: &Operand, dot: &Known) -> Known {
        let known = self.base(operand, dot);
        if let Some(path) = &known {
            self.note(path);
        }
        known
    }

    fn base(&mut self, operand: &Operand, dot: &Known) -> Known {
        let (start, fields) = match &operand.term {
            Term::Dot => return dot.clone(),
            Term::Field(fields) => (dot.clone(), fields),
            Term::Variable { name, fields } => {
                let known = self.variables.iter().rev().find(|(n, _)| n == name);
                (known.and_then(|(_, path)| path.clone()), fields)
            }
            Term::Pipe(pipe) => return self.pipe(pipe, dot),
            Term::Chain { base, fields } => (self.base(base, dot), fields),
            _ => return None,
        };
        start.map(|mut path| {
            path.extend(fields.iter().cloned());
            path
        })
    }
}

fn string(operand: &Operand) -> Option<String> {
    match &operand.term {
        Term::String { value, .. } => Some(value.clone()),
        _ => None,
    }
}
