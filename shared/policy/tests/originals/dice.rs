//! Random numbers, the same for the same seed.

/// A generator of numbers.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Dice {
        Dice(seed ^ 0x9e37_79b9_7f4a_7c15)
    }

    /// A number below `sides`.
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let mixed = (self.0 >> 29) ^ (self.0 >> 47);
        mixed as usize % sides
    }

    /// True once in `sides` times.
    pub(crate) fn once_in(&mut self, sides: usize) -> bool {
        self.roll(sides) == 0
    }

    pub(crate) fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.roll(from.len())]
    }

    /// The text with up to three characters taken out, doubled, replaced or put in.
    pub(crate) fn spoil(&mut self, text: &str, with: &[&str]) -> String {
        let mut chars: Vec<String> = text.chars().map(String::from).collect();
        for _ in 0..=self.roll(3) {
            let at = self.roll(chars.len() + 1);
            match self.roll(4) {
                0 if at < chars.len() => {
                    chars.remove(at);
                }
                1 if at < chars.len() => chars.insert(at, chars[at].clone()),
                2 if at < chars.len() => chars[at] = self.pick(with).to_owned(),
                _ => chars.insert(at, self.pick(with).to_owned()),
            }
        }
        chars.concat()
    }
}
