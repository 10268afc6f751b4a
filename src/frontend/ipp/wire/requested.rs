//! "requested-attributes": which attributes a Get operation wants back (RFC 8011 §4.2.5.1, §4.2.6.1, §4.3.4.1).
//!
//! The keywords name attributes, or groups of them: `all`, `none`, and the groups of a table the server gives, such as
//! `job-template` and `printer-description`.

use std::collections::BTreeSet;

use super::attributes::Attributes;
use super::lookup::AttributeError;

/// The groups of attributes that an object has names for.
#[derive(Clone, Copy, Debug)]
pub struct NameGroups<'t> {
    /// Name of the group, names of its attributes.
    pub groups: &'t [(&'t str, &'t [&'t str])],
    /// Attributes that are so large that `all` leaves them out: they come only when named, as "media-col-database"
    /// (PWG 5100.7).
    pub only_by_name: &'t [&'t str],
}

/// What a request wants.
#[derive(Clone, Debug)]
pub struct Requested<'a> {
    table: NameGroups<'a>,
    all: bool,
    names: BTreeSet<&'a str>,
    groups: Vec<&'a [&'a str]>,
}

impl<'a> Requested<'a> {
    /// Reads "requested-attributes". Where it is not there, `absent` says what is wanted: `["all"]` for
    /// Get-Printer-Attributes and Get-Job-Attributes, `["job-id", "job-uri"]` for Get-Jobs.
    ///
    /// # Errors
    /// [`AttributeError`] where its values are not keywords.
    pub fn read(
        operation: &'a Attributes,
        table: NameGroups<'a>,
        absent: &[&'a str],
    ) -> Result<Self, AttributeError> {
        let keywords = operation.keywords("requested-attributes")?;
        if keywords.is_empty() {
            return Ok(Self::of(absent.iter().copied(), table));
        }
        Ok(Self::of(keywords, table))
    }

    fn of(keywords: impl IntoIterator<Item = &'a str>, table: NameGroups<'a>) -> Self {
        let mut this = Self { table, all: false, names: BTreeSet::new(), groups: Vec::new() };
        for keyword in keywords {
            match table.groups.iter().find(|(group, _)| *group == keyword) {
                _ if keyword == "all" => this.all = true,
                _ if keyword == "none" => {}
                Some((_, names)) if this.groups.contains(names) => {}
                Some((_, names)) => this.groups.push(names),
                None => {
                    this.names.insert(keyword);
                }
            }
        }
        this
    }

    /// True where the attribute of that name is wanted.
    pub fn wants(&self, name: &str) -> bool {
        self.names.contains(name)
            || self.groups.iter().any(|group| group.contains(&name))
            || (self.all && !self.table.only_by_name.contains(&name))
    }

    /// Those of `attributes` that are wanted, in their order.
    pub fn select(&self, attributes: &Attributes) -> Attributes {
        attributes.iter().filter(|attribute| self.wants(attribute.name())).cloned().collect()
    }

    /// The names that were asked for one by one. Those that the server does not have belong into the Unsupported
    /// Attributes group, as values of "requested-attributes".
    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        self.names.iter().copied()
    }
}
