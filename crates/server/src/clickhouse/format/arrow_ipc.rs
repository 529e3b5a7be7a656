//! Arrow and ArrowStream: the columns as other programs expect them, in Arrow's own files.

use arrow::error::ArrowError;
use arrow::ipc::CompressionType;
use arrow::ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use arrow::record_batch::RecordBatch;

use super::exchange::Exchange;
use super::{FormatError, FormatWriter, Schema, Totals};

/// Arrow and ArrowStream.
pub(super) struct ArrowIpc {
    exchange: Exchange,
    writer: Writer,
}

enum Writer {
    File(FileWriter<Vec<u8>>),
    Stream(StreamWriter<Vec<u8>>),
    /// It could not begin, or it has ended.
    None(Option<ArrowError>),
}

impl ArrowIpc {
    pub(super) fn new(schema: &Schema, stream: bool) -> Self {
        let exchange = Exchange::new(schema);
        let writer =
            Self::begin(&exchange, stream).unwrap_or_else(|error| Writer::None(Some(error)));
        Self { exchange, writer }
    }

    fn begin(exchange: &Exchange, stream: bool) -> Result<Writer, ArrowError> {
        let options =
            IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME))?;
        let schema = exchange.schema();
        Ok(if stream {
            let writer = StreamWriter::try_new_with_options(Vec::new(), &schema, options)?;
            Writer::Stream(writer)
        } else {
            let writer = FileWriter::try_new_with_options(Vec::new(), &schema, options)?;
            Writer::File(writer)
        })
    }

    fn take(&mut self, out: &mut Vec<u8>) {
        match &mut self.writer {
            Writer::File(writer) => out.append(writer.get_mut()),
            Writer::Stream(writer) => out.append(writer.get_mut()),
            Writer::None(_) => {}
        }
    }
}

impl FormatWriter for ArrowIpc {
    fn head(&mut self, out: &mut Vec<u8>) {
        self.take(out);
    }

    fn rows(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), FormatError> {
        let batch = self.exchange.convert(batch)?;
        match &mut self.writer {
            Writer::File(writer) => writer.write(&batch)?,
            Writer::Stream(writer) => writer.write(&batch)?,
            Writer::None(error) => {
                let what = error.take().map(|error| error.to_string());
                return Err(FormatError::Encode(what.unwrap_or_default()));
            }
        }
        self.take(out);
        Ok(())
    }

    fn tail(&mut self, _totals: &Totals, out: &mut Vec<u8>) {
        let ended = match &mut self.writer {
            Writer::File(writer) => writer.finish(),
            Writer::Stream(writer) => writer.finish(),
            Writer::None(_) => Ok(()),
        };
        if let Err(error) = ended {
            tracing::error!(%error, "cannot end an Arrow result");
        }
        self.take(out);
    }
}
