//! Reads a stub. See [`ndr`](super).

use super::{BadStub, ContextHandle, Syntax};
use crate::rpc::limits::FULL_POINTERS;
use crate::rpc::uuid::Uuid;
use crate::rpc::wire::{ByteOrder, Cursor};

/// Reads the parameters of a call one after the other.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    stub: &'a [u8],
    at: usize,
    syntax: Syntax,
    order: ByteOrder,
    referents: Vec<u64>,
}

type Read<T> = Result<T, BadStub>;

impl<'a> Reader<'a> {
    /// Reads this stub, which begins at its first byte.
    pub fn new(stub: &'a [u8], syntax: Syntax, order: ByteOrder) -> Self {
        Self { stub, at: 0, syntax, order, referents: Vec::new() }
    }

    /// Bytes not read yet.
    pub fn remaining(&self) -> usize {
        self.stub.len().saturating_sub(self.at)
    }

    /// The error of something wrong here.
    pub fn bad(&self, why: &'static str) -> BadStub {
        BadStub { at: self.at, why }
    }

    /// Skips to a multiple of `align`; what is in the gap does not matter.
    pub fn align(&mut self, align: usize) -> Read<()> {
        let at = self.at.checked_next_multiple_of(align).filter(|at| *at <= self.stub.len());
        self.at = at.ok_or(self.bad("the stub ends in a gap"))?;
        Ok(())
    }

    /// An octet.
    pub fn u8(&mut self) -> Read<u8> {
        self.field(1, Cursor::u8)
    }

    /// `unsigned short`, 2 bytes.
    pub fn u16(&mut self) -> Read<u16> {
        self.field(2, Cursor::u16)
    }

    /// `unsigned long`, a `v1_enum`, an `HRESULT`, `error_status_t`: 4 bytes.
    pub fn u32(&mut self) -> Read<u32> {
        self.field(4, Cursor::u32)
    }

    /// `hyper`, 8 bytes.
    pub fn u64(&mut self) -> Read<u64> {
        self.field(8, Cursor::u64)
    }

    /// A GUID in place, 16 bytes.
    pub fn uuid(&mut self) -> Read<Uuid> {
        self.field(4, Cursor::uuid)
    }

    /// A context handle, 20 bytes.
    pub fn context_handle(&mut self) -> Read<ContextHandle> {
        Ok(ContextHandle { attributes: self.u32()?, uuid: self.uuid()? })
    }

    /// A unique pointer: whether something follows. Top-level: at once; in a structure or array: after its end.
    pub fn pointer(&mut self) -> Read<bool> {
        Ok(self.word()? != 0)
    }

    /// A full pointer: whether something follows. An alias of an earlier one is refused: no interface of ours has
    /// parameters that may be the same thing.
    pub fn full_pointer(&mut self) -> Read<bool> {
        let referent = self.word()?;
        if referent == 0 {
            return Ok(false);
        }
        if self.referents.contains(&referent) {
            return Err(self.bad("two parameters cannot be the same"));
        }
        if self.referents.len() >= FULL_POINTERS {
            return Err(self.bad("too many full pointers"));
        }
        self.referents.push(referent);
        Ok(true)
    }

    /// The element count before a conformant array. The stub is known to hold that many elements of at least
    /// `element_bytes` (not zero) each.
    pub fn conformance(&mut self, element_bytes: usize) -> Read<usize> {
        let count = self.count()?;
        match count.checked_mul(element_bytes) {
            Some(bytes) if bytes <= self.remaining() => Ok(count),
            _ => Err(self.bad("the array is longer than the stub")),
        }
    }

    /// Offset and element count before a varying array within `max` elements. The offset must be zero; as for
    /// [`conformance`](Self::conformance) the elements are known to be there.
    pub fn variance(&mut self, max: usize, element_bytes: usize) -> Read<usize> {
        if self.word()? != 0 {
            return Err(self.bad("an array must begin with its first element"));
        }
        let actual = self.conformance(element_bytes)?;
        if actual > max {
            return Err(self.bad("more elements than the array has room for"));
        }
        Ok(actual)
    }

    /// The two counts of a conformant varying array, and how many elements follow.
    pub fn conformant_variance(&mut self, element_bytes: usize) -> Read<usize> {
        let max = self.count()?;
        self.variance(max, element_bytes)
    }

    /// Bytes as they are.
    pub fn bytes(&mut self, count: usize) -> Read<&'a [u8]> {
        let end = self.at.checked_add(count);
        let bytes = end.and_then(|end| self.stub.get(self.at..end));
        let bytes = bytes.ok_or(self.bad("the stub is too short"))?;
        self.at = self.at.saturating_add(count);
        Ok(bytes)
    }

    /// `[size_is(size), unique] byte *`, top-level: the size must be the array's, and zero where the pointer is null.
    pub fn unique_bytes(&mut self, size: u32) -> Read<Option<&'a [u8]>> {
        if self.pointer()? {
            return self.sized_bytes(size).map(Some);
        }
        if size != 0 {
            return Err(self.bad("a null pointer cannot have a size"));
        }
        Ok(None)
    }

    /// A conformant array of bytes whose size another parameter has told.
    pub fn sized_bytes(&mut self, size: u32) -> Read<&'a [u8]> {
        let count = self.conformance(1)?;
        if u32::try_from(count) != Ok(size) {
            return Err(self.bad("the array has not the size that was told"));
        }
        self.bytes(count)
    }

    /// `[unique] GUID *`, top-level.
    pub fn unique_uuid(&mut self) -> Read<Option<Uuid>> {
        if self.pointer()? { self.uuid().map(Some) } else { Ok(None) }
    }

    /// `[string] wchar_t *`, without its terminator, of at most `limit` UTF-16 units with it. Lone surrogates become
    /// U+FFFD: such a name is no printer's, and that is for the interface to say.
    pub fn wide_string(&mut self, limit: usize) -> Read<String> {
        let count = self.conformant_variance(2)?;
        if count > limit {
            return Err(self.bad("the string is too long"));
        }
        let mut units = Vec::with_capacity(count);
        for _ in 0..count {
            units.push(self.u16()?);
        }
        let zero = units.iter().position(|unit| *unit == 0);
        let text = zero.and_then(|end| units.get(..end));
        let text = text.ok_or(self.bad("the string has no terminator"))?;
        Ok(String::from_utf16_lossy(text))
    }

    /// `[string] char *`, without its terminator, of at most `limit` octets with it.
    pub fn narrow_string(&mut self, limit: usize) -> Read<String> {
        let count = self.conformant_variance(1)?;
        if count > limit {
            return Err(self.bad("the string is too long"));
        }
        let octets = self.bytes(count)?;
        let zero = octets.iter().position(|octet| *octet == 0);
        let text = zero.and_then(|end| octets.get(..end));
        let text = text.ok_or(self.bad("the string has no terminator"))?;
        Ok(String::from_utf8_lossy(text).into_owned())
    }

    /// A count that no elements were checked against: what a `[max_is]` says, or the room of a varying array.
    pub fn count(&mut self) -> Read<usize> {
        let count = self.word()?;
        usize::try_from(count).map_err(|_| self.bad("a count is out of range"))
    }

    /// Pointer, conformance, offset or actual count.
    fn word(&mut self) -> Read<u64> {
        match self.syntax {
            Syntax::Ndr => self.u32().map(u64::from),
            Syntax::Ndr64 => self.u64(),
        }
    }

    fn field<T>(&mut self, align: usize, read: impl Fn(&mut Cursor<'a>) -> Option<T>) -> Read<T> {
        self.align(align)?;
        let rest = self.stub.get(self.at..).unwrap_or_default();
        let mut cursor = Cursor::new(rest, self.order);
        let value = read(&mut cursor).ok_or(self.bad("the stub is too short"))?;
        self.at = self.stub.len().saturating_sub(cursor.rest().len());
        Ok(value)
    }
}
