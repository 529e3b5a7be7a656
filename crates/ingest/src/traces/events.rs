//! Events of spans, as parallel lists.

use arrow::array::ArrayRef;
use cairn_storage::{ColumnKind, Nanos};

use crate::attributes::AttributeSet;
use crate::batch::{AttributesColumn, LabelColumn, ListOffsets, list_array, timestamps};
use crate::error::Result;
use crate::limits::MAX_LABEL_BYTES;
use crate::notes::{Notes, Rejection};
use crate::otlp::Fields;
use crate::time::first_set;

/// The columns `Events.*`, and the events of the span being read.
#[derive(Debug)]
pub(super) struct EventColumns<'a> {
    /// Kept for their buffers; only the first `pending_count` belong to the span.
    pending: Vec<Event<'a>>,
    pending_count: usize,
    offsets: ListOffsets,
    times: Vec<i64>,
    names: LabelColumn,
    attributes: AttributesColumn,
}

#[derive(Debug)]
struct Event<'a> {
    time_unix_nano: u64,
    name: &'a [u8],
    set: AttributeSet<'a>,
}

impl<'a> Event<'a> {
    fn new() -> Self {
        Self {
            time_unix_nano: 0,
            name: &[],
            set: AttributeSet::new(),
        }
    }

    fn read(&mut self, bytes: &'a [u8], notes: &mut Notes) -> Result<Option<Rejection>> {
        (self.time_unix_nano, self.name) = (0, &[]);
        self.set.clear();
        let mut fields = Fields::new(bytes, "Event");
        while let Some(field) = fields.next()? {
            match field.number {
                1 => self.time_unix_nano = field.fixed64()?,
                2 => self.name = field.bytes()?,
                3 => self.set.add(field.bytes()?, notes)?,
                _ => {}
            }
        }
        let too_long = (self.name.len() > MAX_LABEL_BYTES).then_some(Rejection::Length);
        Ok(self.set.rejection().or(too_long))
    }
}

impl<'a> EventColumns<'a> {
    pub(super) fn new() -> Self {
        Self {
            pending: Vec::new(),
            pending_count: 0,
            offsets: ListOffsets::new(),
            times: Vec::new(),
            names: LabelColumn::new(),
            attributes: AttributesColumn::new(),
        }
    }

    /// Reads the encoded events of a span; what is returned is the bound they pass.
    pub(super) fn read(
        &mut self,
        events: &[&'a [u8]],
        notes: &mut Notes,
    ) -> Result<Option<Rejection>> {
        self.pending_count = events.len();
        while self.pending.len() < events.len() {
            self.pending.push(Event::new());
        }
        for (event, bytes) in self.pending.iter_mut().zip(events) {
            let rejection = event.read(bytes, notes)?;
            if rejection.is_some() {
                return Ok(rejection);
            }
        }
        Ok(None)
    }

    /// Appends the list of the events that were read last. An event without a time happened when
    /// its span started.
    pub(super) fn push(&mut self, span_nanos: i64, notes: &mut Notes) -> Result<()> {
        for event in self.pending.iter_mut().take(self.pending_count) {
            let time = first_set([event.time_unix_nano, 0], Nanos(span_nanos));
            notes.clamped_times += u64::from(time.clamped);
            notes.missing_times += u64::from(time.missing);
            self.times.push(time.nanos);
            self.names.push(event.name);
            event.set.write(&mut self.attributes, notes)?;
        }
        self.offsets.end_list(self.times.len());
        Ok(())
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        self.offsets.bytes()
            + self.times.len() * size_of::<i64>()
            + self.names.bytes()
            + self.attributes.bytes()
    }

    /// `Events.Timestamp`, `Events.Name`, `Events.Attributes`.
    pub(super) fn finish(self, notes: &mut Notes) -> Result<[ArrayRef; 3]> {
        let offsets = self.offsets.finish();
        let times = timestamps(self.times);
        let names = self.names.finish_plain(notes)?;
        let attributes = self.attributes.finish(notes)?;
        Ok([
            list_array(&ColumnKind::TimestampList.write_type(), &offsets, times)?,
            list_array(&ColumnKind::LabelList.write_type(), &offsets, names)?,
            list_array(
                &ColumnKind::AttributesList.write_type(),
                &offsets,
                attributes,
            )?,
        ])
    }
}
