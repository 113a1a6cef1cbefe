//! Texts with numbers, where all texts that a longer one starts with are found at once.

/// A tree whose paths are the texts: each node has what its texts have in common behind those of its parent.
#[derive(Clone, Debug, Default)]
pub(super) struct Trie {
    /// The root is the first.
    nodes: Vec<Node>,
    /// How many texts there are. They are numbered from 0 as they come.
    count: usize,
}

#[derive(Clone, Debug, Default)]
struct Node {
    label: Vec<u8>,
    number: Option<usize>,
    /// First bytes of the children's labels, ascending, with where the children are.
    children: Vec<(u8, usize)>,
}

impl Node {
    fn child(&self, first: u8) -> Option<usize> {
        let place = self.children.partition_point(|(byte, _)| *byte < first);
        let (byte, index) = self.children.get(place)?;
        (*byte == first).then_some(*index)
    }

    fn add_child(&mut self, label: &[u8], index: usize) {
        if let Some(&first) = label.first() {
            let place = self.children.partition_point(|(byte, _)| *byte < first);
            self.children.insert(place, (first, index));
        }
    }
}

impl Trie {
    pub(super) fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The number of a text, a new one if it is not there yet.
    pub(super) fn number(&mut self, text: &[u8]) -> usize {
        if self.nodes.is_empty() {
            self.nodes.push(Node::default());
        }
        let mut at: usize = 0;
        let mut rest = text;
        while let Some(first) = rest.first() {
            let Some(child) = self.nodes.get(at).and_then(|node| node.child(*first)) else {
                let index = self.push(Node {
                    label: rest.to_vec(),
                    ..Node::default()
                });
                if let Some(node) = self.nodes.get_mut(at) {
                    node.add_child(rest, index);
                }
                at = index;
                break;
            };
            let common = self.split(child, rest);
            rest = rest.get(common..).unwrap_or_default();
            at = child;
        }
        let new = self.count;
        let number = match self.nodes.get_mut(at) {
            Some(node) => *node.number.get_or_insert(new),
            None => new,
        };
        self.count = self.count.max(number.saturating_add(1));
        number
    }

    fn push(&mut self, node: Node) -> usize {
        let index = self.nodes.len();
        self.nodes.push(node);
        index
    }

    /// Cuts a node's label where it differs from the text, and tells how long what they have in common is.
    fn split(&mut self, index: usize, text: &[u8]) -> usize {
        let next = self.nodes.len();
        let Some(node) = self.nodes.get_mut(index) else {
            return text.len();
        };
        let common = node
            .label
            .iter()
            .zip(text)
            .take_while(|(a, b)| a == b)
            .count();
        if common < node.label.len() {
            let tail = node.label.split_off(common);
            let children = std::mem::take(&mut node.children);
            let number = node.number.take();
            node.add_child(&tail, next);
            self.nodes.push(Node {
                label: tail,
                number,
                children,
            });
        }
        common
    }

    /// Calls `found` with the number of each text that this one starts with, the shortest first.
    pub(super) fn walk(&self, mut text: impl Iterator<Item = u8>, mut found: impl FnMut(usize)) {
        let mut next = self.nodes.first();
        while let Some(node) = next {
            // The first byte is what led here.
            for byte in node.label.iter().skip(1) {
                if text.next() != Some(*byte) {
                    return;
                }
            }
            if let Some(number) = node.number {
                found(number);
            }
            let Some(byte) = text.next() else { return };
            next = node.child(byte).and_then(|index| self.nodes.get(index));
        }
    }
}
