//! Attributes, and sets of them: a group's, or a collection's members.
//!
//! The invariants: an [`Attribute`] has a value; within [`Attributes`] a name is there once (RFC 8011 §4.1.3). Order
//! is kept: the operation group's charset and language come first (RFC 8011 §4.1.4).

use std::collections::HashSet;

use super::value::{OutOfBand, Value};

/// A name, and one value or more.
#[derive(Clone, PartialEq, Eq)]
pub struct Attribute {
    name: Box<str>,
    values: Vec<Value>,
}

impl Attribute {
    /// An attribute with one value.
    pub fn new(name: &str, value: impl Into<Value>) -> Self {
        Self { name: name.into(), values: vec![value.into()] }
    }

    /// A 1setOf. With nothing in it, it has the one value `no-value`: there is no other way to say so on the wire.
    pub fn set_of<V: Into<Value>>(name: &str, values: impl IntoIterator<Item = V>) -> Self {
        Self::from_parts(name.into(), values.into_iter().map(Into::into).collect())
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its values: one or more.
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// Its values, to keep.
    pub fn into_values(self) -> Vec<Value> {
        self.values
    }

    pub(super) fn from_parts(name: Box<str>, mut values: Vec<Value>) -> Self {
        if values.is_empty() {
            values.push(Value::OutOfBand(OutOfBand::NoValue));
        }
        Self { name, values }
    }
}

/// Attributes of different names, in order.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Attributes(Vec<Attribute>);

impl Attributes {
    /// Without any yet.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True where there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Them all, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Attribute> {
        self.0.iter()
    }

    /// The one of that name.
    pub fn find(&self, name: &str) -> Option<&Attribute> {
        self.0.iter().find(|attribute| attribute.name() == name)
    }

    /// True where there is one of that name, whatever its value.
    pub fn contains(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// Puts it last, or where one of that name is, in its place.
    pub fn insert(&mut self, attribute: Attribute) {
        match self.0.iter_mut().find(|other| other.name == attribute.name) {
            Some(other) => *other = attribute,
            None => self.0.push(attribute),
        }
    }

    /// Takes the one of that name away.
    pub fn remove(&mut self, name: &str) -> Option<Attribute> {
        let at = self.0.iter().position(|attribute| attribute.name() == name)?;
        Some(self.0.remove(at))
    }

    /// Keeps the first of each name; `dropped` hears of the others.
    pub(super) fn from_wire(all: Vec<Attribute>, mut dropped: impl FnMut(Box<str>)) -> Self {
        let mut seen = HashSet::with_capacity(all.len());
        let first: Vec<bool> = all.iter().map(|attribute| seen.insert(attribute.name())).collect();
        if first.iter().all(|&first| first) {
            return Self(all);
        }
        let mut kept = Vec::with_capacity(all.len());
        for (attribute, first) in all.into_iter().zip(first) {
            if first {
                kept.push(attribute);
            } else {
                dropped(attribute.name);
            }
        }
        Self(kept)
    }
}

impl IntoIterator for Attributes {
    type Item = Attribute;
    type IntoIter = std::vec::IntoIter<Attribute>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Attributes {
    type Item = &'a Attribute;
    type IntoIter = std::slice::Iter<'a, Attribute>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Extend<Attribute> for Attributes {
    fn extend<I: IntoIterator<Item = Attribute>>(&mut self, attributes: I) {
        attributes.into_iter().for_each(|attribute| self.insert(attribute));
    }
}

impl FromIterator<Attribute> for Attributes {
    fn from_iter<I: IntoIterator<Item = Attribute>>(attributes: I) -> Self {
        let mut all = Self::new();
        all.extend(attributes);
        all
    }
}
