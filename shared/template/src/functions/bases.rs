//! Base 64 and base 32 as Go's decoders read them: line ends are skipped, spare bits may be anything,
//! and what is wrong is told by its place.

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

fn digit64(byte: u8) -> Option<u32> {
    Some(match byte {
        b'A'..=b'Z' => u32::from(byte.wrapping_sub(b'A')),
        b'a'..=b'z' => u32::from(byte.wrapping_sub(b'a')).wrapping_add(26),
        b'0'..=b'9' => u32::from(byte.wrapping_sub(b'0')).wrapping_add(52),
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

/// The bytes, or at which byte of the text the error is.
pub(super) fn decode64(text: &str) -> Result<Vec<u8>, usize> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text
        .bytes()
        .enumerate()
        .filter(|(_, byte)| !matches!(byte, b'\r' | b'\n'));
    let (mut bits, mut count) = (0u32, 0usize);
    let mut begin = 0;
    while let Some((at, byte)) = bytes.next() {
        if count == 0 {
            begin = at;
        }
        if byte == b'=' {
            let whole = match count {
                2 => match bytes.next() {
                    Some((_, b'=')) => 1,
                    Some((other, _)) => return Err(other.saturating_sub(1)),
                    None => return Err(text.len()),
                },
                3 => 2,
                _ => return Err(at),
            };
            let missing = u32::try_from(4usize.saturating_sub(count)).unwrap_or(0);
            let [_, first, second, _] = bits.wrapping_shl(missing.saturating_mul(6)).to_be_bytes();
            out.extend([first, second].into_iter().take(whole));
            return bytes.next().map_or(Ok(out), |(at, _)| Err(at));
        }
        let Some(digit) = digit64(byte) else {
            return Err(at);
        };
        bits = bits << 6 | digit;
        count = count.saturating_add(1);
        if count == 4 {
            let [_, rest @ ..] = bits.to_be_bytes();
            out.extend(rest);
            (bits, count) = (0, 0);
        }
    }
    if count == 0 {
        Ok(out)
    } else {
        Err(text.len().saturating_sub(count).max(begin))
    }
}

pub(super) fn encode32(bytes: &[u8]) -> String {
    let mut out = String::new();
    for group in bytes.chunks(5) {
        let mut bits = 0u64;
        for place in 0..5 {
            bits = bits << 8 | u64::from(group.get(place).copied().unwrap_or(0));
        }
        let digits = group.len().saturating_mul(8).div_ceil(5);
        for place in 0..8usize {
            let digit = usize::try_from(bits >> 35 & 31).unwrap_or(0);
            bits <<= 5;
            let letter = BASE32.get(digit).filter(|_| place < digits);
            out.push(letter.map_or('=', |letter| char::from(*letter)));
        }
    }
    out
}

/// The bytes, or at which byte of the text, without its line ends, the error is.
pub(super) fn decode32(text: &str) -> Result<Vec<u8>, usize> {
    let text: Vec<u8> = text
        .bytes()
        .filter(|byte| !matches!(byte, b'\r' | b'\n'))
        .collect();
    let mut out = Vec::with_capacity(text.len());
    for (index, group) in text.chunks(8).enumerate() {
        let begin = index.saturating_mul(8);
        let mut bits = 0u64;
        let mut digits = 8;
        for place in 0..8usize {
            let at = begin.saturating_add(place);
            let after = text.len().saturating_sub(at).saturating_sub(1);
            let Some(byte) = group.get(place) else {
                return Err(begin);
            };
            if *byte == b'=' && place >= 2 && after < 8 {
                if after < 7usize.saturating_sub(place) {
                    return Err(text.len());
                }
                let padding = group.iter().skip(place);
                if let Some(other) = padding.into_iter().position(|byte| *byte != b'=') {
                    return Err(at.saturating_add(other).saturating_sub(1));
                }
                if matches!(place, 3 | 6) {
                    return Err(at);
                }
                digits = place;
                bits <<=
                    5u32.saturating_mul(u32::try_from(8usize.saturating_sub(place)).unwrap_or(0));
                break;
            }
            let Some(digit) = BASE32.iter().position(|letter| letter == byte) else {
                return Err(at);
            };
            bits = bits << 5 | u64::try_from(digit).unwrap_or(0);
        }
        let [_, _, _, rest @ ..] = bits.to_be_bytes();
        let whole = digits.saturating_mul(5).wrapping_div(8);
        out.extend(rest.into_iter().take(whole));
        if digits < 8 {
            break;
        }
    }
    Ok(out)
}
