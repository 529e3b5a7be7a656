//! `ExportTraceServiceRequest` to rows of `otel_traces`.

mod build;
mod events;
mod links;

#[cfg(test)]
mod tests;

use cairn_storage::{Nanos, TableBatch};

use self::build::{Span, SpanColumns};
use crate::attributes::{Envelope, MessageNames, RecordSink, Shared};
use crate::error::Result;
use crate::notes::Tally;
use crate::time::first_set;

const NAMES: MessageNames = MessageNames {
    request: "ExportTraceServiceRequest",
    resource: "ResourceSpans",
    scope: "ScopeSpans",
};

/// The rows of an encoded request; spans without any time are dated `received_at`.
pub(crate) fn decode(request: &[u8], received_at: Nanos) -> Result<(TableBatch, Tally)> {
    let mut envelope = Envelope::new();
    let mut sink = SpanSink {
        received_at,
        columns: SpanColumns::new(),
        span: Span::default(),
    };
    envelope.walk(request, &NAMES, &mut sink)?;
    sink.columns.finish(envelope)
}

struct SpanSink<'a> {
    received_at: Nanos,
    columns: SpanColumns<'a>,
    /// The span being read; kept for its buffers.
    span: Span<'a>,
}

impl<'a> RecordSink<'a> for SpanSink<'a> {
    fn record(
        &mut self,
        bytes: &'a [u8],
        shared: &Shared,
        envelope: &mut Envelope<'a>,
    ) -> Result<()> {
        self.span
            .read(bytes, &mut envelope.set, &mut envelope.tally.notes)?;
        let time = first_set(
            [self.span.start_unix_nano, self.span.end_unix_nano],
            self.received_at,
        );
        let own = self
            .columns
            .read_parts(&self.span, &mut envelope.tally.notes)?;
        if !envelope.admit(shared, own, time) {
            return Ok(());
        }
        self.columns.push(
            &self.span,
            &mut envelope.set,
            time.nanos,
            &mut envelope.tally.notes,
        )?;
        envelope.push(shared, self.columns.bytes())
    }
}
