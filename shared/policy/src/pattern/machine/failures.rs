//! Where the match has failed for good, so that nothing is tried there twice.

/// The largest table, in bits (256 KiB). Beyond it the budget alone bounds the work.
const MAX_BITS: usize = 1 << 21;

/// One bit for each row of the program at each position of the text.
pub(super) struct Failures {
    /// Positions per row: one more than the text has bytes.
    width: usize,
    words: Vec<u64>,
}

impl Failures {
    /// An empty table; `None` if it would be too large.
    pub(super) fn new(rows: usize, text_len: usize) -> Option<Failures> {
        let width = text_len.saturating_add(1);
        let bits = width.saturating_mul(rows);
        (bits <= MAX_BITS).then(|| Failures {
            width,
            words: vec![0; bits.div_ceil(64)],
        })
    }

    pub(super) fn contains(&self, row: usize, position: usize) -> bool {
        let (word, bit) = self.place(row, position);
        self.words.get(word).is_some_and(|word| word & bit != 0)
    }

    pub(super) fn insert(&mut self, row: usize, position: usize) {
        let (word, bit) = self.place(row, position);
        if let Some(word) = self.words.get_mut(word) {
            *word |= bit;
        }
    }

    fn place(&self, row: usize, position: usize) -> (usize, u64) {
        let index = row.saturating_mul(self.width).saturating_add(position);
        (
            index >> 6,
            1_u64.wrapping_shl(u32::try_from(index & 63).unwrap_or_default()),
        )
    }
}
