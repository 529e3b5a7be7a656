//! `ExportLogsServiceRequest` to rows of `otel_logs`.
//!
//! Every record becomes a row of `otel_logs`, session recordings (attribute `rr-web.event`) too.

mod body;
mod build;
mod severity;

#[cfg(test)]
mod tests;

use cairn_storage::{Nanos, TableBatch};

use self::build::{LogColumns, Record};
use crate::attributes::{Envelope, MessageNames, RecordSink, Shared};
use crate::error::Result;
use crate::notes::Tally;
use crate::time::first_set;

const NAMES: MessageNames = MessageNames {
    request: "ExportLogsServiceRequest",
    resource: "ResourceLogs",
    scope: "ScopeLogs",
};

/// How logs are read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LogOptions {
    /// Merge JSON bodies into the attributes and infer severities, as ClickStack's collector does.
    pub(crate) normalize: bool,
    /// The time of records that have none.
    pub(crate) received_at: Nanos,
}

/// The rows of an encoded request.
pub(crate) fn decode(request: &[u8], options: LogOptions) -> Result<(TableBatch, Tally)> {
    let mut envelope = Envelope::new();
    let mut sink = LogSink {
        options,
        columns: LogColumns::new(),
    };
    envelope.walk(request, &NAMES, &mut sink)?;
    sink.columns.finish(envelope)
}

struct LogSink {
    options: LogOptions,
    columns: LogColumns,
}

impl<'a> RecordSink<'a> for LogSink {
    fn record(
        &mut self,
        bytes: &'a [u8],
        shared: &Shared,
        envelope: &mut Envelope<'a>,
    ) -> Result<()> {
        let record = Record::read(bytes, &mut envelope.set, &mut envelope.tally.notes)?;
        let time = first_set(
            [record.time_unix_nano, record.observed_time_unix_nano],
            self.options.received_at,
        );
        if !envelope.admit(shared, record.rejection(), time) {
            return Ok(());
        }
        self.columns.push(
            &record,
            &mut envelope.set,
            time.nanos,
            self.options.normalize,
            &mut envelope.tally.notes,
        )?;
        envelope.push(shared, self.columns.bytes())
    }
}
