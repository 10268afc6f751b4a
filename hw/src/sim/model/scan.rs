//! Byte searches in blocks that the compiler turns into vector instructions: a simulated printer must not be slower
//! than the wire it stands for.

/// Where `wanted` first lies in `bytes`.
pub(super) fn find(bytes: &[u8], wanted: u8) -> Option<usize> {
    find_if(bytes, |byte| byte == wanted)
}

/// Where the first byte lies that is `wanted`. Comparisons joined by `|` are fast, a `match` is not.
pub(super) fn find_if(bytes: &[u8], wanted: impl Fn(u8) -> bool) -> Option<usize> {
    const BLOCK: usize = 64;
    let (blocks, _) = bytes.as_chunks::<BLOCK>();
    let misses = |block: &&[u8; BLOCK]| !block.iter().fold(false, |hit, byte| hit | wanted(*byte));
    let start = blocks.iter().take_while(misses).count().saturating_mul(BLOCK);
    bytes.get(start..)?.iter().position(|byte| wanted(*byte)).map(|at| start.saturating_add(at))
}

/// How often `wanted` lies in `bytes`.
pub(super) fn count(bytes: &[u8], wanted: u8) -> usize {
    const BLOCK: usize = 128;
    let (blocks, rest) = bytes.as_chunks::<BLOCK>();
    let in_block = |block: &[u8]| block.iter().map(|byte| u8::from(*byte == wanted)).sum::<u8>();
    blocks.iter().map(|block| usize::from(in_block(block))).sum::<usize>()
        + usize::from(in_block(rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn agrees_with_the_plain_way(bytes in prop::collection::vec(0u8..8, 0..700), wanted in 0u8..9) {
            prop_assert_eq!(find(&bytes, wanted), bytes.iter().position(|byte| *byte == wanted));
            prop_assert_eq!(count(&bytes, wanted), bytes.iter().filter(|byte| **byte == wanted).count());
        }

        #[test]
        fn finds_a_lone_byte_anywhere(len in 1usize..300, at in 0usize..300) {
            let at = at % len;
            let mut bytes = vec![0u8; len];
            bytes[at] = 27;
            prop_assert_eq!(find(&bytes, 27), Some(at));
            prop_assert_eq!(count(&bytes, 27), 1);
        }
    }
}
