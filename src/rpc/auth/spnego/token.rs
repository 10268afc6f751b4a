//! The tokens of SPNEGO (RFC 4178 4.2, [MS-SPNG] 2.2.1), sans-I/O: octets in, a struct out, and back.
//!
//! Read by tag: whatever is optional may be absent, in either direction.

use super::der::{
    APPLICATION_0, ENUMERATED, GENERAL_STRING, OBJECT_IDENTIFIER, OCTET_STRING, Reader, SEQUENCE,
    context, element, only,
};
use super::oid::{self, Oid};
use crate::limits::SPNEGO_MECHANISMS;
use crate::rpc::auth::Refusal;

/// A token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// The first one.
    Init(Init),
    /// Each one after that.
    Resp(Resp),
}

/// `NegTokenInit`, or `NegTokenInit2` of a server that speaks first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Init {
    /// What is offered.
    pub mechanisms: Mechanisms,
    /// A token for the first of them.
    pub token: Option<Vec<u8>>,
    /// `negHints`: a server's, which say nothing.
    pub hints: bool,
    /// A MIC; nobody sends one here.
    pub mic: Option<Vec<u8>>,
}

/// `MechTypeList`, with its DER: that is what the MICs cover.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mechanisms {
    list: Vec<Oid>,
    der: Vec<u8>,
}

/// `NegTokenResp`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resp {
    /// How it stands.
    pub state: Option<NegState>,
    /// What the server chose.
    pub mechanism: Option<Oid>,
    /// The mechanism's token.
    pub token: Option<Vec<u8>>,
    /// The MIC of the list of mechanisms.
    pub mic: Option<Vec<u8>>,
}

/// `negState`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NegState {
    /// It is done.
    AcceptCompleted,
    /// It goes on.
    AcceptIncomplete,
    /// No.
    Reject,
    /// It goes on, and the list of mechanisms must be signed.
    RequestMic,
}

const STATES: [(u8, NegState); 4] = [
    (0, NegState::AcceptCompleted),
    (1, NegState::AcceptIncomplete),
    (2, NegState::Reject),
    (3, NegState::RequestMic),
];

/// What Windows' and Samba's servers give as a hint.
const HINT: &[u8] = b"not_defined_in_RFC4178@please_ignore";

impl Mechanisms {
    /// A list to offer.
    pub fn new(list: Vec<Oid>) -> Self {
        let items = list.iter().map(|oid| element(OBJECT_IDENTIFIER, &[&oid.0]));
        let items: Vec<u8> = items.flatten().collect();
        Self { der: element(SEQUENCE, &[&items]), list }
    }

    /// The mechanisms, by preference.
    pub fn list(&self) -> &[Oid] {
        &self.list
    }

    /// The DER as it came or goes over the wire.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    fn decode(der: &[u8]) -> Result<Self, Refusal> {
        let mut reader = Reader::new(only(der, SEQUENCE)?);
        let mut list = Vec::new();
        while let Some(item) = reader.element()? {
            if item.tag != OBJECT_IDENTIFIER || list.len() >= SPNEGO_MECHANISMS {
                return Err(Refusal::Malformed("the list of mechanisms"));
            }
            list.push(Oid(item.content.to_vec().into()));
        }
        Ok(Self { list, der: der.to_vec() })
    }
}

impl Token {
    /// Reads a token.
    pub fn decode(octets: &[u8]) -> Result<Self, Refusal> {
        match octets.first() {
            Some(&APPLICATION_0) => {
                let mut reader = Reader::new(only(octets, APPLICATION_0)?);
                if reader.expect(OBJECT_IDENTIFIER)?.content != &*oid::SPNEGO.0 {
                    return Err(Refusal::Malformed("a GSS-API token, but not of SPNEGO"));
                }
                let init = reader.expect(context(0))?.content;
                reader.finish()?;
                Ok(Self::Init(Init::decode(only(init, SEQUENCE)?)?))
            }
            Some(&tag) if tag == context(1) => {
                let resp = only(octets, context(1))?;
                Ok(Self::Resp(Resp::decode(only(resp, SEQUENCE)?)?))
            }
            _ => Err(Refusal::Malformed("no SPNEGO token")),
        }
    }

    /// Writes it.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Init(init) => {
                let sequence = element(SEQUENCE, &[&init.encode()]);
                let spnego = element(OBJECT_IDENTIFIER, &[&oid::SPNEGO.0]);
                element(APPLICATION_0, &[&spnego, &element(context(0), &[&sequence])])
            }
            Self::Resp(resp) => element(context(1), &[&element(SEQUENCE, &[&resp.encode()])]),
        }
    }
}

impl Init {
    fn decode(fields: &[u8]) -> Result<Self, Refusal> {
        let mut mechanisms = None;
        let (mut token, mut hints, mut mic) = (None, false, None);
        each(fields, |n, content| {
            match n {
                0 => mechanisms = Some(Mechanisms::decode(content)?),
                2 => token = Some(octet_string(content)?),
                // NegTokenInit2 has the hints here, and the MIC behind.
                3 if content.first() == Some(&SEQUENCE) => hints = true,
                3 | 4 => mic = Some(octet_string(content)?),
                _ => {}
            }
            Ok(())
        })?;
        let missing = Refusal::Malformed("a NegTokenInit without mechanisms");
        Ok(Self { mechanisms: mechanisms.ok_or(missing)?, token, hints, mic })
    }

    fn encode(&self) -> Vec<u8> {
        let mut fields = element(context(0), &[&self.mechanisms.der]);
        fields.extend(octets(2, self.token.as_ref()));
        if self.hints {
            let hint = element(context(0), &[&element(GENERAL_STRING, &[HINT])]);
            fields.extend(element(context(3), &[&element(SEQUENCE, &[&hint])]));
        }
        fields.extend(octets(if self.hints { 4 } else { 3 }, self.mic.as_ref()));
        fields
    }
}

impl Resp {
    fn decode(fields: &[u8]) -> Result<Self, Refusal> {
        let mut resp = Self::default();
        each(fields, |n, content| {
            match n {
                0 => resp.state = Some(state(only(content, ENUMERATED)?)?),
                1 => {
                    let oid = only(content, OBJECT_IDENTIFIER)?.to_vec();
                    resp.mechanism = Some(Oid(oid.into()));
                }
                2 => resp.token = Some(octet_string(content)?),
                3 => resp.mic = Some(octet_string(content)?),
                _ => {}
            }
            Ok(())
        })?;
        Ok(resp)
    }

    fn encode(&self) -> Vec<u8> {
        let mut fields = Vec::new();
        let code = STATES.iter().find(|(_, state)| Some(*state) == self.state);
        if let Some((code, _)) = code {
            fields.extend(element(context(0), &[&element(ENUMERATED, &[&[*code]])]));
        }
        if let Some(oid) = &self.mechanism {
            fields.extend(element(context(1), &[&element(OBJECT_IDENTIFIER, &[&oid.0])]));
        }
        fields.extend(octets(2, self.token.as_ref()));
        fields.extend(octets(3, self.mic.as_ref()));
        fields
    }
}

/// Hands over the fields `[0]` to `[15]`, each of which may be there once.
fn each<'a>(
    fields: &'a [u8],
    mut field: impl FnMut(u8, &'a [u8]) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    let mut reader = Reader::new(fields);
    let mut seen = 0_u16;
    while let Some(next) = reader.element()? {
        let n = next.tag ^ context(0);
        if n > 15 {
            return Err(Refusal::Malformed("an unknown field in a SPNEGO token"));
        }
        if seen & (1 << n) != 0 {
            return Err(Refusal::Malformed("a field is twice in a SPNEGO token"));
        }
        seen |= 1 << n;
        field(n, next.content)?;
    }
    Ok(())
}

fn octet_string(content: &[u8]) -> Result<Vec<u8>, Refusal> {
    only(content, OCTET_STRING).map(<[u8]>::to_vec)
}

fn octets(n: u8, octets: Option<&Vec<u8>>) -> Vec<u8> {
    octets.map_or_else(Vec::new, |octets| element(context(n), &[&element(OCTET_STRING, &[octets])]))
}

fn state(content: &[u8]) -> Result<NegState, Refusal> {
    let state = STATES.iter().find(|(code, _)| content == [*code]);
    state.map(|(_, state)| *state).ok_or(Refusal::Malformed("an unknown state in a SPNEGO token"))
}

#[cfg(test)]
mod tests;
