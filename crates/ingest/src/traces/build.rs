//! One span read from the wire, and the columns it goes to.

use std::sync::Arc;

use arrow::array::UInt64Array;
use cairn_storage::{TableBatch, TableId};

use super::events::EventColumns;
use super::links::LinkColumns;
use crate::attributes::{AttributeSet, Envelope};
use crate::batch::{AttributesColumn, IdColumn, LabelColumn, TextColumn, table_batch, timestamps};
use crate::error::Result;
use crate::limits::{MAX_EVENTS_COUNT, MAX_LABEL_BYTES, MAX_LINKS_COUNT, MAX_VALUE_BYTES};
use crate::notes::{Notes, Rejection, Tally};
use crate::otlp::Fields;

/// A `Span` with its parts still encoded; its attributes are in the envelope's set.
#[derive(Debug, Default)]
pub(super) struct Span<'a> {
    trace_id: &'a [u8],
    span_id: &'a [u8],
    parent_span_id: &'a [u8],
    trace_state: &'a [u8],
    name: &'a [u8],
    kind: u64,
    pub(super) start_unix_nano: u64,
    pub(super) end_unix_nano: u64,
    events: Vec<&'a [u8]>,
    links: Vec<&'a [u8]>,
    status_code: u64,
    status_message: &'a [u8],
}

impl<'a> Span<'a> {
    /// Reads the message `bytes` in place of the span that was read before.
    pub(super) fn read(
        &mut self,
        bytes: &'a [u8],
        set: &mut AttributeSet<'a>,
        notes: &mut Notes,
    ) -> Result<()> {
        set.clear();
        let (mut events, mut links) = (
            std::mem::take(&mut self.events),
            std::mem::take(&mut self.links),
        );
        events.clear();
        links.clear();
        *self = Self {
            events,
            links,
            ..Self::default()
        };
        let mut fields = Fields::new(bytes, "Span");
        while let Some(field) = fields.next()? {
            match field.number {
                1 => self.trace_id = field.bytes()?,
                2 => self.span_id = field.bytes()?,
                3 => self.trace_state = field.bytes()?,
                4 => self.parent_span_id = field.bytes()?,
                5 => self.name = field.bytes()?,
                6 => self.kind = field.varint()?,
                7 => self.start_unix_nano = field.fixed64()?,
                8 => self.end_unix_nano = field.fixed64()?,
                9 => set.add(field.bytes()?, notes)?,
                // One more than allowed is kept, so that the bound shows.
                11 if self.events.len() <= MAX_EVENTS_COUNT => self.events.push(field.bytes()?),
                13 if self.links.len() <= MAX_LINKS_COUNT => self.links.push(field.bytes()?),
                15 => self.read_status(field.bytes()?)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn read_status(&mut self, bytes: &'a [u8]) -> Result<()> {
        (self.status_code, self.status_message) = (0, &[]);
        let mut fields = Fields::new(bytes, "Status");
        while let Some(field) = fields.next()? {
            match field.number {
                2 => self.status_message = field.bytes()?,
                3 => self.status_code = field.varint()?,
                _ => {}
            }
        }
        Ok(())
    }

    /// The bound that the span passes, if any.
    fn rejection(&self) -> Option<Rejection> {
        if self.events.len() > MAX_EVENTS_COUNT || self.links.len() > MAX_LINKS_COUNT {
            return Some(Rejection::PartCount);
        }
        let longest_text = self.trace_state.len().max(self.status_message.len());
        (self.name.len() > MAX_LABEL_BYTES || longest_text > MAX_VALUE_BYTES)
            .then_some(Rejection::Length)
    }

    /// Nanoseconds from start to end. Unknown, so 0, without a start.
    fn duration(&self, notes: &mut Notes) -> u64 {
        if self.start_unix_nano == 0 || self.end_unix_nano == 0 {
            return 0;
        }
        self.end_unix_nano
            .checked_sub(self.start_unix_nano)
            .unwrap_or_else(|| {
                notes.negative_durations += 1;
                0
            })
    }
}

/// The columns of `otel_traces` that follow from the span itself.
#[derive(Debug)]
pub(super) struct SpanColumns<'a> {
    timestamps: Vec<i64>,
    trace_ids: IdColumn<16>,
    span_ids: IdColumn<8>,
    parent_span_ids: IdColumn<8>,
    trace_states: TextColumn,
    names: LabelColumn,
    kinds: LabelColumn,
    attributes: AttributesColumn,
    durations: Vec<u64>,
    status_codes: LabelColumn,
    status_messages: TextColumn,
    events: EventColumns<'a>,
    links: LinkColumns<'a>,
}

impl<'a> SpanColumns<'a> {
    pub(super) fn new() -> Self {
        Self {
            timestamps: Vec::new(),
            trace_ids: IdColumn::new(),
            span_ids: IdColumn::new(),
            parent_span_ids: IdColumn::new(),
            trace_states: TextColumn::new(),
            names: LabelColumn::new(),
            kinds: LabelColumn::new(),
            attributes: AttributesColumn::new(),
            durations: Vec::new(),
            status_codes: LabelColumn::new(),
            status_messages: TextColumn::new(),
            events: EventColumns::new(),
            links: LinkColumns::new(),
        }
    }

    /// Reads events and links, so that a bound they pass is known before anything of the span is
    /// appended.
    pub(super) fn read_parts(
        &mut self,
        span: &Span<'a>,
        notes: &mut Notes,
    ) -> Result<Option<Rejection>> {
        if let Some(reason) = span.rejection() {
            return Ok(Some(reason));
        }
        let events = self.events.read(&span.events, notes)?;
        let links = self.links.read(&span.links, notes)?;
        Ok(events.or(links))
    }

    /// Appends a row with the events and links that were read last.
    pub(super) fn push(
        &mut self,
        span: &Span<'a>,
        set: &mut AttributeSet<'a>,
        nanos: i64,
        notes: &mut Notes,
    ) -> Result<()> {
        self.timestamps.push(nanos);
        self.trace_ids.push(span.trace_id, notes);
        self.span_ids.push(span.span_id, notes);
        self.parent_span_ids.push(span.parent_span_id, notes);
        self.trace_states.push(span.trace_state);
        self.names.push(span.name);
        self.kinds.push(kind_name(span.kind));
        set.write(&mut self.attributes, notes)?;
        self.durations.push(span.duration(notes));
        self.status_codes.push(status_name(span.status_code));
        self.status_messages.push(span.status_message);
        self.events.push(nanos, notes)?;
        self.links.push(notes)
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        self.timestamps.len() * (size_of::<i64>() + size_of::<u64>())
            + self.trace_ids.bytes()
            + self.span_ids.bytes()
            + self.parent_span_ids.bytes()
            + self.trace_states.bytes()
            + self.names.bytes()
            + self.kinds.bytes()
            + self.attributes.bytes()
            + self.status_codes.bytes()
            + self.status_messages.bytes()
            + self.events.bytes()
            + self.links.bytes()
    }

    /// The batch, columns in the order of the table.
    pub(super) fn finish(self, envelope: Envelope<'a>) -> Result<(TableBatch, Tally)> {
        let (shared, mut tally) = envelope.finish()?;
        let notes = &mut tally.notes;
        let mut columns = vec![
            timestamps(self.timestamps),
            self.trace_ids.finish()?,
            self.span_ids.finish()?,
            self.parent_span_ids.finish()?,
            Arc::new(self.trace_states.finish(notes)?),
            self.names.finish(notes)?,
            self.kinds.finish(notes)?,
            shared.services,
            shared.resource_attributes,
            shared.scope_names,
            shared.scope_versions,
            self.attributes.finish(notes)?,
            Arc::new(UInt64Array::from(self.durations)),
            self.status_codes.finish(notes)?,
            Arc::new(self.status_messages.finish(notes)?),
        ];
        columns.extend(self.events.finish(notes)?);
        columns.extend(self.links.finish(notes)?);
        Ok((table_batch(TableId::Traces, columns)?, tally))
    }
}

/// `SpanKind` as ClickStack's exporter spells it; unknown numbers are unspecified.
fn kind_name(kind: u64) -> &'static [u8] {
    match kind {
        1 => b"Internal",
        2 => b"Server",
        3 => b"Client",
        4 => b"Producer",
        5 => b"Consumer",
        _ => b"Unspecified",
    }
}

/// `StatusCode` as ClickStack's exporter spells it; unknown numbers are unset.
fn status_name(code: u64) -> &'static [u8] {
    match code {
        1 => b"Ok",
        2 => b"Error",
        _ => b"Unset",
    }
}
