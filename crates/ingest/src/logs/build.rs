//! One log record read from the wire, and the columns it goes to.

use std::sync::Arc;

use arrow::array::UInt8Array;
use cairn_storage::{TableBatch, TableId};

use super::body::merge_fields;
use super::severity::{Severity, infer};
use crate::attributes::{AnyValue, AttributeSet, Envelope, append_text};
use crate::batch::{AttributesColumn, IdColumn, LabelColumn, TextColumn, table_batch, timestamps};
use crate::error::Result;
use crate::limits::{MAX_BODY_BYTES, MAX_LABEL_BYTES};
use crate::notes::{Notes, Rejection, Tally};
use crate::otlp::Fields;

/// The largest severity number of OpenTelemetry.
const MAX_SEVERITY_NUMBER: u8 = 24;

/// A `LogRecord` with its parts still encoded; its attributes are in the set.
#[derive(Debug, Default)]
pub(super) struct Record<'a> {
    pub(super) time_unix_nano: u64,
    pub(super) observed_time_unix_nano: u64,
    severity_number: u64,
    severity_text: &'a [u8],
    body: &'a [u8],
    flags: u32,
    trace_id: &'a [u8],
    span_id: &'a [u8],
    event_name: &'a [u8],
}

impl<'a> Record<'a> {
    /// Reads the message `bytes` and collects its attributes in `set`.
    #[inline]
    pub(super) fn read(
        bytes: &'a [u8],
        set: &mut AttributeSet<'a>,
        notes: &mut Notes,
    ) -> Result<Self> {
        set.clear();
        let mut record = Self::default();
        let mut fields = Fields::new(bytes, "LogRecord");
        while let Some(field) = fields.next()? {
            match field.number {
                1 => record.time_unix_nano = field.fixed64()?,
                2 => record.severity_number = field.varint()?,
                3 => record.severity_text = field.bytes()?,
                5 => record.body = field.bytes()?,
                6 => set.add(field.bytes()?, notes)?,
                8 => record.flags = field.fixed32()?,
                9 => record.trace_id = field.bytes()?,
                10 => record.span_id = field.bytes()?,
                11 => record.observed_time_unix_nano = field.fixed64()?,
                12 => record.event_name = field.bytes()?,
                _ => {}
            }
        }
        Ok(record)
    }

    /// The bound that the record passes, if any.
    #[inline]
    pub(super) fn rejection(&self) -> Option<Rejection> {
        let longest_label = self.severity_text.len().max(self.event_name.len());
        (self.body.len() > MAX_BODY_BYTES || longest_label > MAX_LABEL_BYTES)
            .then_some(Rejection::Length)
    }
}

/// The columns of `otel_logs` that follow from the record itself.
#[derive(Debug)]
pub(super) struct LogColumns {
    timestamps: Vec<i64>,
    trace_ids: IdColumn<16>,
    span_ids: IdColumn<8>,
    trace_flags: Vec<u8>,
    severity_texts: LabelColumn,
    severity_numbers: Vec<u8>,
    bodies: TextColumn,
    attributes: AttributesColumn,
    event_names: LabelColumn,
}

impl LogColumns {
    pub(super) fn new() -> Self {
        Self {
            timestamps: Vec::new(),
            trace_ids: IdColumn::new(),
            span_ids: IdColumn::new(),
            trace_flags: Vec::new(),
            severity_texts: LabelColumn::new(),
            severity_numbers: Vec::new(),
            bodies: TextColumn::new(),
            attributes: AttributesColumn::new(),
            event_names: LabelColumn::new(),
        }
    }

    /// Appends a row.
    #[inline]
    pub(super) fn push(
        &mut self,
        record: &Record<'_>,
        set: &mut AttributeSet<'_>,
        nanos: i64,
        normalize: bool,
        notes: &mut Notes,
    ) -> Result<()> {
        let body = AnyValue::read(record.body)?;
        if normalize {
            merge_fields(set, body, notes)?;
        }
        let number = u8::try_from(record.severity_number)
            .ok()
            .filter(|number| *number <= MAX_SEVERITY_NUMBER)
            .unwrap_or(0);
        self.push_severity(number, record.severity_text, set, body, normalize)?;
        self.timestamps.push(nanos);
        self.trace_ids.push(record.trace_id, notes);
        self.span_ids.push(record.span_id, notes);
        let [low, ..] = record.flags.to_le_bytes();
        self.trace_flags.push(low);
        append_text(self.bodies.value_buffer(), body, notes)?;
        self.bodies.end_value();
        set.write(&mut self.attributes, notes)?;
        self.event_names.push(record.event_name);
        Ok(())
    }

    fn push_severity(
        &mut self,
        number: u8,
        text: &[u8],
        set: &AttributeSet<'_>,
        body: AnyValue<'_>,
        normalize: bool,
    ) -> Result<()> {
        if normalize && number == 0 && text.is_empty() {
            let Severity { number, text } = infer(set, body)?;
            self.severity_numbers.push(number);
            self.severity_texts.push(&text);
            return Ok(());
        }
        self.severity_numbers.push(number);
        let is_lower = text
            .iter()
            .all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
        if !normalize || is_lower {
            self.severity_texts.push(text);
        } else {
            let lower = String::from_utf8_lossy(text).to_lowercase();
            self.severity_texts.push(lower.as_bytes());
        }
        Ok(())
    }

    /// Bytes held.
    #[inline]
    pub(super) fn bytes(&self) -> usize {
        self.timestamps.len() * (size_of::<i64>() + 2)
            + self.trace_ids.bytes()
            + self.span_ids.bytes()
            + self.severity_texts.bytes()
            + self.bodies.bytes()
            + self.attributes.bytes()
            + self.event_names.bytes()
    }

    /// The batch, columns in the order of the table.
    pub(super) fn finish(self, envelope: Envelope<'_>) -> Result<(TableBatch, Tally)> {
        let (shared, mut tally) = envelope.finish()?;
        let notes = &mut tally.notes;
        let columns = vec![
            timestamps(self.timestamps),
            self.trace_ids.finish()?,
            self.span_ids.finish()?,
            Arc::new(UInt8Array::from(self.trace_flags)),
            self.severity_texts.finish(notes)?,
            Arc::new(UInt8Array::from(self.severity_numbers)),
            shared.services,
            Arc::new(self.bodies.finish(notes)?),
            shared.resource_schemas,
            shared.resource_attributes,
            shared.scope_schemas,
            shared.scope_names,
            shared.scope_versions,
            shared.scope_attributes,
            self.attributes.finish(notes)?,
            self.event_names.finish(notes)?,
        ];
        Ok((table_batch(TableId::Logs, columns)?, tally))
    }
}
