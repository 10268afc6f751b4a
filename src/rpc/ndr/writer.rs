//! Writes a stub, little-endian. See [`ndr`](super).

use super::{ContextHandle, Syntax};
use crate::rpc::uuid::Uuid;
use crate::rpc::wire::Put;

/// The first referent identifier, and what the next ones are further.
const REFERENT_FIRST: u32 = 0x0002_0000;
const REFERENT_STEP: u32 = 4;

/// Writes the parameters of a call one after the other.
#[derive(Clone, Debug)]
pub struct Writer {
    stub: Vec<u8>,
    syntax: Syntax,
    referent: u32,
}

impl Writer {
    /// An empty stub.
    pub fn new(syntax: Syntax) -> Self {
        Self { stub: Vec::new(), syntax, referent: REFERENT_FIRST }
    }

    /// An empty stub with room for so many bytes.
    pub fn with_capacity(syntax: Syntax, bytes: usize) -> Self {
        Self { stub: Vec::with_capacity(bytes), ..Self::new(syntax) }
    }

    /// The stub.
    pub fn finish(self) -> Vec<u8> {
        self.stub
    }

    /// Zeros up to a multiple of `align`. An NDR64 structure ends at a multiple of its alignment.
    pub fn align(&mut self, align: usize) -> &mut Self {
        self.stub.pad_to(align);
        self
    }

    /// An octet.
    pub fn u8(&mut self, value: u8) -> &mut Self {
        self.stub.put_u8(value);
        self
    }

    /// `unsigned short`, 2 bytes.
    pub fn u16(&mut self, value: u16) -> &mut Self {
        self.align(2).stub.put_u16(value);
        self
    }

    /// `unsigned long`, a `v1_enum`, an `HRESULT`, `error_status_t`: 4 bytes.
    pub fn u32(&mut self, value: u32) -> &mut Self {
        self.align(4).stub.put_u32(value);
        self
    }

    /// `hyper`, 8 bytes.
    pub fn u64(&mut self, value: u64) -> &mut Self {
        self.align(8).stub.put(&value.to_le_bytes());
        self
    }

    /// A GUID in place, 16 bytes.
    pub fn uuid(&mut self, value: Uuid) -> &mut Self {
        self.align(4).stub.put(&value.to_wire());
        self
    }

    /// A context handle, 20 bytes.
    pub fn context_handle(&mut self, handle: &ContextHandle) -> &mut Self {
        self.u32(handle.attributes).uuid(handle.uuid)
    }

    /// A unique or full pointer, to something (which the caller writes where it belongs) or to nothing.
    pub fn pointer(&mut self, to_something: bool) -> &mut Self {
        if !to_something {
            return self.word(0);
        }
        let referent = self.referent;
        self.referent = referent.wrapping_add(REFERENT_STEP).max(REFERENT_FIRST);
        self.word(u64::from(referent))
    }

    /// A count before a conformant array, or the offset or actual count before a varying one.
    pub fn count(&mut self, count: usize) -> &mut Self {
        self.word(u64::try_from(count).unwrap_or(u64::MAX))
    }

    /// Bytes as they are.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.stub.put(bytes);
        self
    }

    /// A conformant array of bytes.
    pub fn sized_bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.count(bytes.len()).bytes(bytes)
    }

    /// `[size_is(…), unique] byte *`, top-level. The size is another parameter.
    pub fn unique_bytes(&mut self, bytes: Option<&[u8]>) -> &mut Self {
        self.pointer(bytes.is_some());
        match bytes {
            Some(bytes) => self.sized_bytes(bytes),
            None => self,
        }
    }

    /// `[unique] GUID *`, top-level.
    pub fn unique_uuid(&mut self, uuid: Option<Uuid>) -> &mut Self {
        self.pointer(uuid.is_some());
        match uuid {
            Some(uuid) => self.uuid(uuid),
            None => self,
        }
    }

    /// `[string] wchar_t *`; the terminator is added.
    pub fn wide_string(&mut self, text: &str) -> &mut Self {
        let units: Vec<u16> = text.encode_utf16().chain([0]).collect();
        self.count(units.len()).count(0).count(units.len());
        units.into_iter().fold(self, Self::u16)
    }

    /// `[string, unique] wchar_t *`, top-level.
    pub fn unique_wide_string(&mut self, text: Option<&str>) -> &mut Self {
        self.pointer(text.is_some());
        match text {
            Some(text) => self.wide_string(text),
            None => self,
        }
    }

    /// `[string] char *`; the terminator is added.
    pub fn narrow_string(&mut self, text: &str) -> &mut Self {
        let octets = text.len().saturating_add(1);
        self.count(octets).count(0).count(octets).bytes(text.as_bytes()).u8(0)
    }

    fn word(&mut self, value: u64) -> &mut Self {
        match self.syntax {
            // Longer than 4 GiB is no stub: the limits of PDUs are far below.
            Syntax::Ndr => self.u32(u32::try_from(value).unwrap_or(u32::MAX)),
            Syntax::Ndr64 => self.u64(value),
        }
    }
}
