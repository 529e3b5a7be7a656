//! Resources and scopes: stored once per distinct one of a request, rows refer to them by number.

use arrow::array::ArrayRef;
use hashbrown::HashMap;

use super::set::AttributeSet;
use crate::batch::{LabelColumn, SharedAttributesColumn};
use crate::error::Result;
use crate::limits::MAX_LABEL_BYTES;
use crate::notes::{Notes, Rejection};
use crate::otlp::Fields;

/// Columns that follow from the resource. Resources are recognised by their encoded bytes.
#[derive(Debug)]
pub(super) struct ResourceColumns<'a> {
    known: HashMap<&'a [u8], ResourceKeys>,
    attributes: SharedAttributesColumn,
    services: LabelColumn,
}

/// A resource by number, and why its records are rejected.
#[derive(Debug, Clone, Copy)]
pub(super) struct ResourceKeys {
    attributes: i32,
    service: i32,
    /// Set when the resource passes a bound.
    pub(super) rejection: Option<Rejection>,
}

/// Columns that follow from the instrumentation scope.
#[derive(Debug)]
pub(super) struct ScopeColumns<'a> {
    known: HashMap<&'a [u8], ScopeKeys>,
    names: LabelColumn,
    versions: LabelColumn,
    attributes: SharedAttributesColumn,
}

/// A scope by number, and why its records are rejected.
#[derive(Debug, Clone, Copy)]
pub(super) struct ScopeKeys {
    name: i32,
    version: i32,
    attributes: i32,
    /// Attributes that the sender dropped.
    pub(super) dropped: u32,
    /// Set when the scope passes a bound.
    pub(super) rejection: Option<Rejection>,
}

/// The finished columns of scopes.
#[derive(Debug)]
pub(super) struct ScopeArrays {
    pub(super) names: ArrayRef,
    pub(super) versions: ArrayRef,
    pub(super) attributes: ArrayRef,
}

impl<'a> ResourceColumns<'a> {
    pub(super) fn new() -> Self {
        Self {
            known: HashMap::new(),
            attributes: SharedAttributesColumn::new(),
            services: LabelColumn::new(),
        }
    }

    /// The numbers of the encoded `Resource`.
    pub(super) fn enter(
        &mut self,
        resource: &'a [u8],
        set: &mut AttributeSet<'a>,
        notes: &mut Notes,
    ) -> Result<ResourceKeys> {
        if let Some(keys) = self.known.get(resource) {
            return Ok(*keys);
        }
        set.clear();
        let mut fields = Fields::new(resource, "Resource");
        while let Some(field) = fields.next()? {
            if field.number == 1 {
                set.add(field.bytes()?, notes)?;
            }
        }
        let mut service = Vec::new();
        let mut rejection = set.rejection();
        set.find_text(b"service.name", &mut service, notes)?;
        if service.len() > MAX_LABEL_BYTES {
            rejection = Some(Rejection::Length);
            service.clear();
        }
        let sets = self.attributes.sets();
        let keys = ResourceKeys {
            attributes: i32::try_from(sets.len()).unwrap_or(i32::MAX),
            service: self.services.intern(&service),
            rejection,
        };
        set.write(sets, notes)?;
        self.known.insert(resource, keys);
        Ok(keys)
    }

    /// Appends a row of this resource.
    #[inline]
    pub(super) fn push(&mut self, keys: ResourceKeys) {
        self.attributes.push_key(keys.attributes);
        self.services.push_key(keys.service);
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        self.attributes.bytes()
            + self.services.bytes()
            + self.known.len() * size_of::<(&[u8], ResourceKeys)>()
    }

    /// `ServiceName` and `ResourceAttributes`.
    pub(super) fn finish(self, notes: &mut Notes) -> Result<(ArrayRef, ArrayRef)> {
        Ok((self.services.finish(notes)?, self.attributes.finish(notes)?))
    }
}

impl<'a> ScopeColumns<'a> {
    pub(super) fn new() -> Self {
        Self {
            known: HashMap::new(),
            names: LabelColumn::new(),
            versions: LabelColumn::new(),
            attributes: SharedAttributesColumn::new(),
        }
    }

    /// The numbers of the encoded `InstrumentationScope`.
    pub(super) fn enter(
        &mut self,
        scope: &'a [u8],
        set: &mut AttributeSet<'a>,
        notes: &mut Notes,
    ) -> Result<ScopeKeys> {
        if let Some(keys) = self.known.get(scope) {
            return Ok(*keys);
        }
        set.clear();
        let (mut name, mut version, mut dropped) = (&[][..], &[][..], 0);
        let mut fields = Fields::new(scope, "InstrumentationScope");
        while let Some(field) = fields.next()? {
            match field.number {
                1 => name = field.bytes()?,
                2 => version = field.bytes()?,
                3 => set.add(field.bytes()?, notes)?,
                4 => dropped = field.varint()?,
                _ => {}
            }
        }
        let mut rejection = set.rejection();
        if name.len().max(version.len()) > MAX_LABEL_BYTES {
            rejection = Some(Rejection::Length);
            (name, version) = (&[], &[]);
        }
        let sets = self.attributes.sets();
        let keys = ScopeKeys {
            name: self.names.intern(name),
            version: self.versions.intern(version),
            attributes: i32::try_from(sets.len()).unwrap_or(i32::MAX),
            dropped: u32::try_from(dropped).unwrap_or(u32::MAX),
            rejection,
        };
        set.write(sets, notes)?;
        self.known.insert(scope, keys);
        Ok(keys)
    }

    /// Appends a row of this scope.
    #[inline]
    pub(super) fn push(&mut self, keys: ScopeKeys) {
        self.names.push_key(keys.name);
        self.versions.push_key(keys.version);
        self.attributes.push_key(keys.attributes);
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        self.names.bytes()
            + self.versions.bytes()
            + self.attributes.bytes()
            + self.known.len() * size_of::<(&[u8], ScopeKeys)>()
    }

    /// The arrays.
    pub(super) fn finish(self, notes: &mut Notes) -> Result<ScopeArrays> {
        Ok(ScopeArrays {
            names: self.names.finish(notes)?,
            versions: self.versions.finish(notes)?,
            attributes: self.attributes.finish(notes)?,
        })
    }
}
