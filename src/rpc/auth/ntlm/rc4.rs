//! RC4, which NTLM seals by. Its state is zeroed when it is dropped.

use zeroize::Zeroize;

/// A key stream under way. A clone goes on by itself from the same place.
#[derive(Clone)]
pub(super) struct Rc4 {
    state: [u8; 256],
    i: u8,
    j: u8,
}

impl Rc4 {
    pub(super) fn new(key: &[u8; 16]) -> Self {
        let mut state = [0; 256];
        state.iter_mut().zip(0..=u8::MAX).for_each(|(octet, n)| *octet = n);
        let mut stream = Self { state, i: 0, j: 0 };
        for (n, key) in (0..=u8::MAX).zip(key.iter().cycle()) {
            stream.j = stream.j.wrapping_add(stream.at(n)).wrapping_add(*key);
            stream.swap(n, stream.j);
        }
        stream.j = 0;
        stream
    }

    /// Encrypts or decrypts what comes next.
    pub(super) fn apply(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            self.i = self.i.wrapping_add(1);
            self.j = self.j.wrapping_add(self.at(self.i));
            self.swap(self.i, self.j);
            *byte ^= self.at(self.at(self.i).wrapping_add(self.at(self.j)));
        }
    }

    #[expect(clippy::indexing_slicing, reason = "an octet is within 256 octets")]
    fn at(&self, n: u8) -> u8 {
        self.state[usize::from(n)]
    }

    fn swap(&mut self, a: u8, b: u8) {
        self.state.swap(a.into(), b.into());
    }
}

impl Drop for Rc4 {
    fn drop(&mut self) {
        self.state.zeroize();
        self.i.zeroize();
        self.j.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6229, keys of 128 bits.
    #[test]
    fn known_streams() {
        for (key, from, expected) in [
            ("0102030405060708090a0b0c0d0e0f10", 0, "9ac7cc9a609d1ef7b2932899cde41b97"),
            ("0102030405060708090a0b0c0d0e0f10", 4096, "a36a4c301ae8ac13610ccbc12256cacc"),
            ("ebb46227c6cc8b37641910833222772a", 0, "720c94b63edf44e131d950ca211a5a30"),
            ("ebb46227c6cc8b37641910833222772a", 4096, "5bbeb4787d59e5373fdbea6c6f75c29b"),
        ] {
            let key = u128::from_str_radix(key, 16).unwrap().to_be_bytes();
            let mut stream = vec![0; from + 16];
            Rc4::new(&key).apply(&mut stream);
            let octets = stream[from..].iter().map(|octet| format!("{octet:02x}"));
            assert_eq!(octets.collect::<String>(), expected);
        }
    }
}
