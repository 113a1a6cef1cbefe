//! The rules that may overlap, told without reasoning: by host, start of the path and method.

use crate::pattern::Hints;

use super::Patterns;

impl Patterns<'_> {
    /// For each rule those before it that it may overlap with, ascending. All others are sure not to.
    #[must_use]
    pub fn neighbours(&self) -> Vec<Vec<usize>> {
        let mut neighbours: Vec<Vec<usize>> = self.rules.iter().map(|_| Vec::new()).collect();
        let mut add = |a: usize, b: usize| {
            let (first, second) = (a.min(b), a.max(b));
            let share = |method| {
                self.rules
                    .get(first)
                    .is_some_and(|rule| rule.methods.contains(method))
            };
            let methods = self.rules.get(second).map(|rule| rule.methods.iter());
            if methods.into_iter().flatten().any(share)
                && let Some(list) = neighbours.get_mut(second)
            {
                list.push(first);
            }
        };
        let all = || self.rules.iter().map(|rule| rule.url.hints()).enumerate();
        let mut named: Vec<(&str, &str, usize)> = all()
            .filter_map(|(number, hints)| Some((hints.host.as_deref()?, path(hints), number)))
            .collect();
        named.sort_unstable();
        // What a path goes on with stands right behind it.
        for (at, (host, start, number)) in named.iter().enumerate() {
            let rest = named.iter().skip(at.saturating_add(1));
            for (_, _, other) in
                rest.take_while(|(name, path, _)| name == host && path.starts_with(start))
            {
                add(*number, *other);
            }
        }
        let unnamed: Vec<(usize, &Hints)> =
            all().filter(|(_, hints)| hints.host.is_none()).collect();
        for (number, hints) in &unnamed {
            for (other, others) in all() {
                let once = others.host.is_some() || other < *number;
                if once && may_share_host(hints, others) && may_share_path(hints, others) {
                    add(*number, other);
                }
            }
        }
        for list in &mut neighbours {
            list.sort_unstable();
        }
        neighbours
    }
}

fn path(hints: &Hints) -> &str {
    match hints.path_start.as_str() {
        "" => "/",
        path => path,
    }
}

fn may_share_path(one: &Hints, other: &Hints) -> bool {
    let (one, other) = (path(one), path(other));
    one.starts_with(other) || other.starts_with(one)
}

fn may_share_host(one: &Hints, other: &Hints) -> bool {
    let ends = |hints: &Hints| match &hints.host {
        Some(host) => (host.clone(), host.clone()),
        None => (hints.host_start.clone(), hints.host_end.clone()),
    };
    let ((start, end), (other_start, other_end)) = (ends(one), ends(other));
    (start.starts_with(&other_start) || other_start.starts_with(&start))
        && (end.ends_with(&other_end) || other_end.ends_with(&end))
}
