//! What surrounds the records of a request: resources, scopes and their schema URLs. All signals
//! have the same shape (the same field numbers too), so they walk it here and differ only in the
//! record.

use arrow::array::ArrayRef;

use super::resource::{ResourceColumns, ResourceKeys, ScopeColumns, ScopeKeys};
use super::set::AttributeSet;
use crate::batch::LabelColumn;
use crate::error::Result;
use crate::limits::{MAX_DAYS_PER_REQUEST, MAX_LABEL_BYTES};
use crate::notes::{Notes, Rejection, Tally, check_decoded};
use crate::otlp::Fields;
use crate::time::{DaySet, WireTime};

/// Names of a signal's messages, for errors.
#[derive(Debug)]
pub(crate) struct MessageNames {
    pub(crate) request: &'static str,
    pub(crate) resource: &'static str,
    pub(crate) scope: &'static str,
}

/// Turns one encoded record into a row.
pub(crate) trait RecordSink<'a> {
    /// Reads the record and appends it, or counts its rejection.
    fn record(
        &mut self,
        bytes: &'a [u8],
        shared: &Shared,
        envelope: &mut Envelope<'a>,
    ) -> Result<()>;
}

/// What the records of one scope have in common.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shared {
    resource: ResourceKeys,
    scope: ScopeKeys,
    resource_schema: i32,
    scope_schema: i32,
    rejection: Option<Rejection>,
}

/// State of the walk that all records share.
#[derive(Debug)]
pub(crate) struct Envelope<'a> {
    /// Attributes of whatever is being read.
    pub(crate) set: AttributeSet<'a>,
    /// Records so far.
    pub(crate) tally: Tally,
    resources: ResourceColumns<'a>,
    scopes: ScopeColumns<'a>,
    resource_schemas: LabelColumn,
    scope_schemas: LabelColumn,
    days: DaySet,
}

/// The finished columns.
#[derive(Debug)]
pub(crate) struct EnvelopeArrays {
    pub(crate) services: ArrayRef,
    pub(crate) resource_attributes: ArrayRef,
    pub(crate) resource_schemas: ArrayRef,
    pub(crate) scope_schemas: ArrayRef,
    pub(crate) scope_names: ArrayRef,
    pub(crate) scope_versions: ArrayRef,
    pub(crate) scope_attributes: ArrayRef,
}

impl Shared {
    /// Attributes of the scope that the sender dropped.
    pub(crate) fn scope_dropped(&self) -> u32 {
        self.scope.dropped
    }
}

impl<'a> Envelope<'a> {
    pub(crate) fn new() -> Self {
        Self {
            set: AttributeSet::new(),
            tally: Tally::default(),
            resources: ResourceColumns::new(),
            scopes: ScopeColumns::new(),
            resource_schemas: LabelColumn::new(),
            scope_schemas: LabelColumn::new(),
            days: DaySet::new(MAX_DAYS_PER_REQUEST),
        }
    }

    /// Walks the encoded `request` and hands every record to `sink`.
    pub(crate) fn walk(
        &mut self,
        request: &'a [u8],
        names: &MessageNames,
        sink: &mut impl RecordSink<'a>,
    ) -> Result<()> {
        let mut fields = Fields::new(request, names.request);
        while let Some(field) = fields.next()? {
            if field.number == 1 {
                self.resource(field.bytes()?, names, sink)?;
            }
        }
        Ok(())
    }

    /// Two passes over the fields, because a resource may stand behind the records it belongs to.
    fn resource(
        &mut self,
        bytes: &'a [u8],
        names: &MessageNames,
        sink: &mut impl RecordSink<'a>,
    ) -> Result<()> {
        let head = Head::read(bytes, names.resource)?;
        let resource = self
            .resources
            .enter(head.owner, &mut self.set, &mut self.tally.notes)?;
        let resource_schema = self.resource_schemas.intern(head.schema_url);
        let mut fields = Fields::new(bytes, names.resource);
        while let Some(field) = fields.next()? {
            if field.number != 2 {
                continue;
            }
            let records = field.bytes()?;
            let inner = Head::read(records, names.scope)?;
            let scope = self
                .scopes
                .enter(inner.owner, &mut self.set, &mut self.tally.notes)?;
            let shared = Shared {
                resource,
                scope,
                resource_schema,
                scope_schema: self.scope_schemas.intern(inner.schema_url),
                rejection: [
                    resource.rejection,
                    head.rejection,
                    scope.rejection,
                    inner.rejection,
                ]
                .into_iter()
                .flatten()
                .next(),
            };
            self.records(records, names, &shared, sink)?;
        }
        Ok(())
    }

    fn records(
        &mut self,
        bytes: &'a [u8],
        names: &MessageNames,
        shared: &Shared,
        sink: &mut impl RecordSink<'a>,
    ) -> Result<()> {
        let mut fields = Fields::new(bytes, names.scope);
        while let Some(field) = fields.next()? {
            if field.number == 2 {
                self.tally.admit()?;
                sink.record(field.bytes()?, shared, self)?;
            }
        }
        Ok(())
    }

    /// Whether the record that was just read may become a row; counted here when not. `own` is what
    /// the record itself is rejected for.
    #[inline]
    pub(crate) fn admit(
        &mut self,
        shared: &Shared,
        own: Option<Rejection>,
        time: WireTime,
    ) -> bool {
        let reason = shared.rejection.or_else(|| self.set.rejection()).or(own);
        // The day comes last, so that a record rejected for another reason does not take one up.
        let reason =
            reason.or_else(|| (!self.days.admit(time.nanos)).then_some(Rejection::DayCount));
        if let Some(reason) = reason {
            self.tally.rejections.count(reason, 1);
            return false;
        }
        self.tally.notes.clamped_times += u64::from(time.clamped);
        self.tally.notes.missing_times += u64::from(time.missing);
        true
    }

    /// Appends what surrounds the row that was just appended. `row_bytes` is what the record's own
    /// columns hold.
    #[inline]
    pub(crate) fn push(&mut self, shared: &Shared, row_bytes: usize) -> Result<()> {
        self.resources.push(shared.resource);
        self.scopes.push(shared.scope);
        self.resource_schemas.push_key(shared.resource_schema);
        self.scope_schemas.push_key(shared.scope_schema);
        self.tally.accepted += 1;
        check_decoded(
            row_bytes
                + self.resources.bytes()
                + self.scopes.bytes()
                + self.resource_schemas.bytes()
                + self.scope_schemas.bytes(),
        )
    }

    /// The columns and what became of the records.
    pub(crate) fn finish(self) -> Result<(EnvelopeArrays, Tally)> {
        let mut tally = self.tally;
        let notes: &mut Notes = &mut tally.notes;
        let (services, resource_attributes) = self.resources.finish(notes)?;
        let scopes = self.scopes.finish(notes)?;
        let arrays = EnvelopeArrays {
            services,
            resource_attributes,
            resource_schemas: self.resource_schemas.finish(notes)?,
            scope_schemas: self.scope_schemas.finish(notes)?,
            scope_names: scopes.names,
            scope_versions: scopes.versions,
            scope_attributes: scopes.attributes,
        };
        Ok((arrays, tally))
    }
}

/// The fields that a resource's and a scope's message have beside their list.
struct Head<'a> {
    /// The encoded resource or scope.
    owner: &'a [u8],
    schema_url: &'a [u8],
    rejection: Option<Rejection>,
}

impl<'a> Head<'a> {
    fn read(bytes: &'a [u8], message: &'static str) -> Result<Self> {
        let mut head = Self {
            owner: &[],
            schema_url: &[],
            rejection: None,
        };
        let mut fields = Fields::new(bytes, message);
        while let Some(field) = fields.next()? {
            match field.number {
                1 => head.owner = field.bytes()?,
                3 => head.schema_url = field.bytes()?,
                _ => {}
            }
        }
        if head.schema_url.len() > MAX_LABEL_BYTES {
            head.rejection = Some(Rejection::Length);
            head.schema_url = &[];
        }
        Ok(head)
    }
}
