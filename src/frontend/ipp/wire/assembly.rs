//! Puts attribute fields together: to attributes, collections and groups (RFC 8010 §3.1.2–3.1.7).
//!
//! ```text
//!   delimiter tag ─► group ─► field with a name ─► attribute ◄─ value ◄─ field without
//!                                                                │ begCollection
//!                    memberAttrName ─► member ◄─ value ──────────┤ (as deep as the limit)
//!                                                                ▼ endCollection: a value of what it is in
//! ```
//!
//! The invariant: what is put together never has more groups, attributes, values or depth than the limits say.

use super::attributes::{Attribute, Attributes};
use super::fault::{Duplicate, Fault};
use super::limits::{DEPTH_MAX, Limits};
use super::message::Group;
use super::tag::{self, GroupTag};
use super::value::Value;

/// One attribute field, cut into its parts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field<'a> {
    pub(super) tag: u8,
    pub(super) name: &'a [u8],
    pub(super) value: &'a [u8],
}

/// What is put together so far.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    pub(super) groups: Vec<Group>,
    pub(super) duplicates: Vec<Duplicate>,
    tag: Option<GroupTag>,
    group: Scope,
    collections: Vec<Scope>,
    attributes: usize,
    values: usize,
}

/// A group or a collection that is not at its end: attributes that are, and one that may get more values.
#[derive(Debug, Default)]
struct Scope {
    done: Vec<Attribute>,
    open: Option<(Box<str>, Vec<Value>)>,
}

impl Assembly {
    /// A delimiter tag: one group ends, another begins. True for the end of the attributes.
    pub(super) fn delimiter(&mut self, octet: u8, limits: &Limits) -> Result<bool, Fault> {
        if !self.collections.is_empty() {
            return Err(Fault::UnclosedCollection);
        }
        if let Some(tag) = self.tag {
            self.end_open(limits)?;
            let group = std::mem::take(&mut self.group);
            let attributes = self.close(group)?;
            self.groups.push(Group { tag, attributes });
        }
        if octet == tag::END_OF_ATTRIBUTES {
            return Ok(true);
        }
        let tag = GroupTag::from_octet(octet).ok_or(Fault::DelimiterTag { tag: octet })?;
        if tag == GroupTag::Operation && !self.groups.is_empty() {
            return Err(Fault::LateOperationGroup);
        }
        if self.groups.len() >= limits.groups {
            return Err(Fault::TooMuch { of: "attribute groups", limit: limits.groups });
        }
        self.tag = Some(tag);
        Ok(false)
    }

    /// An attribute field.
    pub(super) fn field(&mut self, field: Field<'_>, limits: &Limits) -> Result<(), Fault> {
        let within = !self.collections.is_empty();
        match field.tag {
            tag::END_COLLECTION => return self.end_collection(limits),
            tag::MEMBER_NAME if !within => return Err(Fault::MemberOutsideCollection),
            _ if within && !field.name.is_empty() => return Err(Fault::NamedInCollection),
            tag::MEMBER_NAME if field.value.is_empty() => return Err(Fault::EmptyMemberName),
            tag::MEMBER_NAME => return self.begin(field.value, limits),
            _ if self.tag.is_none() => return Err(Fault::NoGroup),
            _ if !field.name.is_empty() => self.begin(field.name, limits)?,
            _ if within && self.innermost().open.is_none() => {
                return Err(Fault::ValueWithoutMember);
            }
            _ if self.innermost().open.is_none() => return Err(Fault::NoFirstValue),
            _ => {}
        }
        self.value(field, limits)
    }

    /// The attribute that the last field belongs to.
    pub(super) fn current(&self) -> Option<&str> {
        self.group.open.as_ref().map(|(name, _)| &**name)
    }

    /// Begins an attribute or a member.
    fn begin(&mut self, name: &[u8], limits: &Limits) -> Result<(), Fault> {
        count(&mut self.attributes, limits.attributes, "attributes")?;
        if name.len() > limits.name_bytes {
            return Err(Fault::NameTooLong { length: name.len(), limit: limits.name_bytes });
        }
        let name = str::from_utf8(name).map_err(|_| Fault::NameNotText)?;
        self.end_open(limits)?;
        self.innermost().open = Some((name.into(), Vec::with_capacity(1)));
        Ok(())
    }

    /// Adds a value to the attribute or member begun last, or begins a collection that will be one.
    fn value(&mut self, field: Field<'_>, limits: &Limits) -> Result<(), Fault> {
        count(&mut self.values, limits.values, "values")?;
        if field.tag != tag::BEGIN_COLLECTION {
            let value = Value::from_wire(field.tag, field.value)?;
            self.innermost().push(value);
            return Ok(());
        }
        let limit = limits.depth.min(DEPTH_MAX);
        if self.collections.len() >= limit {
            return Err(Fault::TooMuch { of: "collections within one another", limit });
        }
        self.collections.push(Scope::default());
        Ok(())
    }

    fn end_collection(&mut self, limits: &Limits) -> Result<(), Fault> {
        self.end_open(limits)?;
        let scope = self.collections.pop().ok_or(Fault::EndWithoutBegin)?;
        let members = self.close(scope)?;
        self.innermost().push(Value::Collection(members));
        Ok(())
    }

    /// The attribute or member begun last gets no more values. A member that has none gets `no-value`: the `ipp`
    /// package of npm tags values as names, and neither CUPS nor we lose its jobs for that.
    fn end_open(&mut self, limits: &Limits) -> Result<(), Fault> {
        let Some((name, values)) = self.innermost().open.take() else { return Ok(()) };
        if values.is_empty() {
            count(&mut self.values, limits.values, "values")?;
        }
        self.innermost().done.push(Attribute::from_parts(name, values));
        Ok(())
    }

    /// Drops what is there twice.
    fn close(&mut self, scope: Scope) -> Result<Attributes, Fault> {
        let Some(group) = self.tag else { return Err(Fault::NoGroup) };
        let duplicates = &mut self.duplicates;
        Ok(Attributes::from_wire(scope.done, |name| duplicates.push(Duplicate { group, name })))
    }

    fn innermost(&mut self) -> &mut Scope {
        self.collections.last_mut().unwrap_or(&mut self.group)
    }
}

impl Scope {
    fn push(&mut self, value: Value) {
        if let Some((_, values)) = &mut self.open {
            values.push(value);
        }
    }
}

fn count(counter: &mut usize, limit: usize, of: &'static str) -> Result<(), Fault> {
    *counter = counter.saturating_add(1);
    if *counter > limit { Err(Fault::TooMuch { of, limit }) } else { Ok(()) }
}
