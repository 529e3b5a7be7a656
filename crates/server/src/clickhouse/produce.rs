//! Runs a query and turns its answer into a head and pieces of a body. It decides when the response begins: as
//! late as an error may still get a status of its own, as early as a reader of a stream wants to see rows.

use std::sync::Arc;
use std::time::Duration;

use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use cairn_query::{Answer, AnswerColumn, Cancel, ErrorCode, Progress, Query, QueryError};
use chrono_tz::Tz;
use futures::StreamExt as _;
use http::StatusCode;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::body::Piece;
use super::exception::Exception;
use super::format::{Format, FormatSettings, FormatWriter, PLAIN, Switch, Totals};
use super::limits::{
    FIRST_FLUSH_DELAY, FIRST_STEP_ROWS, FLUSH_BYTES, MAX_BUFFERED_BYTES, MAX_STEP_ROWS, STEP_BYTES,
};
use super::request::Wishes;
use super::runner::RunQuery;
use crate::http::{BodyEncoder, Coding};

/// One query to run for a response.
pub(super) struct Job {
    pub(super) runner: Arc<dyn RunQuery>,
    pub(super) query: Query,
    /// Also pulled by the response when its client goes away.
    pub(super) cancel: Cancel,
    pub(super) wishes: Wishes,
    /// Zone of times without one, unless the session has another.
    pub(super) timezone: Tz,
    /// The tag in the response's header.
    pub(super) tag: String,
}

/// What the head of the response says about the query.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) status: StatusCode,
    pub(super) exception_code: Option<u16>,
    /// The format of the result; none for statements without one, and when it was never known.
    pub(super) format: Option<&'static Format>,
    pub(super) content_type: &'static str,
    pub(super) timezone: Option<Tz>,
    pub(super) coding: Coding,
    pub(super) summary: String,
}

/// Runs the job. The head is sent once; pieces follow until an end or a break. When nobody receives any more, the
/// query is cancelled.
pub(super) async fn produce(job: Job, head: oneshot::Sender<Head>, pieces: mpsc::Sender<Piece>) {
    let cancel = job.cancel.clone();
    let work = run(job, head, &pieces);
    tokio::select! {
        () = work => {}
        () = pieces.closed() => {}
    }
    // Ends what still runs for an answer that nobody waits for; does nothing after a complete one.
    cancel.cancel();
}

async fn run(job: Job, head: oneshot::Sender<Head>, pieces: &mpsc::Sender<Piece>) {
    let started = Instant::now();
    let Job {
        runner,
        query,
        cancel,
        wishes,
        timezone,
        tag,
    } = job;
    let mut reply = Reply {
        head: Some(head),
        pieces,
        encoder: None,
        coding: wishes.coding,
        level: wishes.compression_level,
        format: None,
        timezone,
        started,
        progress: Arc::default(),
    };
    let answer = match runner.run(query, cancel).await {
        Ok(answer) => answer,
        Err(error) => return reply.fail(&error.into(), &tag).await,
    };
    let Answer {
        columns,
        has_result,
        format,
        settings,
        mut rows,
        progress,
        limited,
    } = answer;
    reply.progress = Arc::clone(&progress);
    if !has_result {
        while let Some(batch) = rows.next().await {
            if let Err(error) = batch {
                return reply.fail(&error.into(), &tag).await;
            }
        }
        return reply.finish(Vec::new()).await;
    }
    let (format, settings) = match choose(format, &settings, &wishes, timezone) {
        Ok(chosen) => chosen,
        Err(exception) => return reply.fail(&exception, &tag).await,
    };
    reply.format = Some(format);
    reply.timezone = settings.timezone;
    let result = ResultWriter {
        writer: format.writer(columns.clone(), settings.clone()),
        format,
        columns,
        settings,
        buffer: Vec::new(),
        step_rows: FIRST_STEP_ROWS,
        wait_for_end: wishes.wait_for_end,
        limited,
        tag,
    };
    result.write(rows, reply).await;
}

/// The format of the result and how it prints, strongest wish first: `output_format`, the FORMAT clause, the
/// request's default.
fn choose(
    clause: Option<String>,
    pairs: &[(String, String)],
    wishes: &Wishes,
    timezone: Tz,
) -> Result<(&'static Format, FormatSettings), Exception> {
    let last = |name: &str| {
        let found = pairs.iter().rev().find(|(known, _)| known == name);
        found
            .map(|(_, value)| value.clone())
            .filter(|value| !value.is_empty())
    };
    let name = last("output_format")
        .or(clause)
        .or_else(|| wishes.default_format.clone())
        .or_else(|| last("default_format"))
        .unwrap_or_else(|| "TabSeparated".to_owned());
    let format = Format::find(&name).ok_or_else(|| {
        Exception::new(ErrorCode::UnknownFormat, format!("Unknown format {name}"))
    })?;
    let mut settings = FormatSettings::new(timezone);
    settings.protocol_version = wishes.protocol_version;
    for (name, value) in pairs {
        settings.apply(name, value).map_err(|value| {
            Exception::new(
                ErrorCode::CannotParseInputAssertionFailed,
                format!("Cannot parse input: bad value of setting `{name}` before: '{value}'"),
            )
        })?;
    }
    Ok((format, settings))
}

/// The way to the client. Once the head is gone, errors can only break the stream.
struct Reply<'a> {
    head: Option<oneshot::Sender<Head>>,
    pieces: &'a mpsc::Sender<Piece>,
    encoder: Option<BodyEncoder>,
    coding: Coding,
    level: u32,
    format: Option<&'static Format>,
    timezone: Tz,
    started: Instant,
    progress: Arc<Progress>,
}

impl Reply<'_> {
    fn has_begun(&self) -> bool {
        self.head.is_none()
    }

    fn send_head(&mut self, status: StatusCode, exception_code: Option<u16>) {
        let Some(sender) = self.head.take() else {
            return;
        };
        let head = Head {
            status,
            exception_code,
            format: self.format,
            content_type: self.format.map_or(PLAIN, |format| format.content_type),
            timezone: Some(self.timezone),
            coding: self.coding,
            summary: summary(&self.progress, self.started.elapsed()),
        };
        // The other side is gone when the client is; `closed` ends the work then.
        drop(sender.send(head));
    }

    fn take_encoder(&mut self) -> std::io::Result<BodyEncoder> {
        match self.encoder.take() {
            Some(encoder) => Ok(encoder),
            None => BodyEncoder::new(self.coding, self.level),
        }
    }

    /// Sends a piece; waits while the client is behind.
    async fn send(&mut self, piece: Vec<u8>) -> Result<(), Stop> {
        self.send_head(StatusCode::OK, None);
        let mut encoder = self.take_encoder().map_err(|error| cannot_encode(&error))?;
        let encoded = encoder
            .encode(piece)
            .map_err(|error| cannot_encode(&error))?;
        self.encoder = Some(encoder);
        if self.send_piece(Piece::Data(Bytes::from(encoded))).await {
            Ok(())
        } else {
            Err(Stop::Gone)
        }
    }

    /// Answers whether somebody still listens.
    async fn send_piece(&self, piece: Piece) -> bool {
        self.pieces.send(piece).await.is_ok()
    }

    /// Sends the last piece and ends the body.
    async fn finish(&mut self, piece: Vec<u8>) {
        self.send_head(StatusCode::OK, None);
        self.end(piece).await;
    }

    async fn end(&mut self, piece: Vec<u8>) {
        match self
            .take_encoder()
            .and_then(|encoder| encoder.finish(piece))
        {
            Ok(encoded) => {
                let last = Piece::Data(Bytes::from(encoded));
                if self.send_piece(last).await {
                    self.send_piece(Piece::End).await;
                }
            }
            Err(error) => {
                tracing::error!(%error, "cannot encode the end of a result");
                self.send_piece(Piece::Break(Bytes::new())).await;
            }
        }
    }

    /// Tells an error: with a status of its own when nothing was sent, else as a block that breaks the stream.
    async fn fail(&mut self, exception: &Exception, tag: &str) {
        if !self.has_begun() {
            return self.fail_with(exception, exception.body()).await;
        }
        let block = exception.block(tag);
        let encoded = self
            .take_encoder()
            .and_then(|encoder| encoder.finish(block));
        let encoded = encoded.unwrap_or_else(|error| {
            tracing::error!(%error, "cannot encode an exception block");
            Vec::new()
        });
        self.send_piece(Piece::Break(Bytes::from(encoded))).await;
    }

    /// The whole response is an error with this body.
    async fn fail_with(&mut self, exception: &Exception, body: Vec<u8>) {
        self.send_head(exception.error.status, Some(exception.error.number));
        self.end(body).await;
    }
}

fn cannot_encode(error: &std::io::Error) -> Exception {
    Exception::new(
        ErrorCode::LogicalError,
        format!("Cannot compress the result: {error}"),
    )
}

type Rows = futures::stream::BoxStream<'static, Result<RecordBatch, QueryError>>;

/// Why a result is not written any further.
enum Stop {
    /// Tell the client.
    Failed(Exception),
    /// Nobody listens any more.
    Gone,
}

impl From<Exception> for Stop {
    fn from(exception: Exception) -> Self {
        Self::Failed(exception)
    }
}

/// What the query does next.
enum Next {
    Batch(RecordBatch),
    Error(QueryError),
    End,
    Pause,
}

/// The next batch, or a pause when the first rows have waited for it long enough.
async fn next(rows: &mut Rows, hold_until: Option<Instant>) -> Next {
    let next = match hold_until {
        None => rows.next().await,
        Some(instant) => match tokio::time::timeout_at(instant, rows.next()).await {
            Ok(next) => next,
            // The query takes its time: what there is shall be seen.
            Err(_) => return Next::Pause,
        },
    };
    match next {
        None => Next::End,
        Some(Ok(batch)) => Next::Batch(batch),
        Some(Err(error)) => Next::Error(error),
    }
}

/// Formats an answer.
struct ResultWriter {
    writer: Box<dyn FormatWriter>,
    format: &'static Format,
    columns: Vec<AnswerColumn>,
    settings: FormatSettings,
    buffer: Vec<u8>,
    /// Rows that are formatted before the size of the buffer is looked at.
    step_rows: usize,
    wait_for_end: bool,
    limited: bool,
    tag: String,
}

impl ResultWriter {
    async fn write(mut self, mut rows: Rows, mut reply: Reply<'_>) {
        self.writer.head(&mut self.buffer);
        let mut hold_until = None;
        loop {
            let held = !reply.has_begun() && !self.wait_for_end;
            // A query whose rows are always ready must not hide that its client is gone.
            tokio::task::consume_budget().await;
            let written = match next(&mut rows, hold_until.filter(|_| held)).await {
                Next::End => break,
                Next::Error(error) => Err(Stop::Failed(error.into())),
                Next::Batch(batch) => self.add(&batch, &mut reply).await,
                Next::Pause => self.flush(&mut reply).await,
            };
            match written {
                Ok(()) => {}
                Err(Stop::Gone) => return,
                Err(Stop::Failed(exception)) => return self.fail(&exception, &mut reply).await,
            }
            hold_until.get_or_insert_with(|| Instant::now() + FIRST_FLUSH_DELAY);
        }
        let totals = Totals {
            elapsed: reply.started.elapsed(),
            rows_read: reply.progress.read_rows(),
            bytes_read: reply.progress.read_bytes(),
            rows_before_limit: self
                .limited
                .then(|| reply.progress.rows_before_limit_at_least()),
        };
        self.writer.tail(&totals, &mut self.buffer);
        reply.finish(self.buffer).await;
    }

    /// Formats a batch step by step, so that wide rows do not pile up.
    async fn add(&mut self, batch: &RecordBatch, reply: &mut Reply<'_>) -> Result<(), Stop> {
        let mut from = 0;
        while from < batch.num_rows() {
            let count = self.step_rows.min(batch.num_rows() - from);
            let before = self.buffer.len();
            let step = batch.slice(from, count);
            self.writer.rows(&step, &mut self.buffer).map_err(|error| {
                tracing::error!(%error, "an answer does not have the form of its types");
                Exception::new(ErrorCode::LogicalError, error.to_string())
            })?;
            from += count;
            self.step_rows = next_step(count, self.buffer.len() - before);
            let bound = if self.wait_for_end {
                MAX_BUFFERED_BYTES
            } else {
                FLUSH_BYTES
            };
            if self.buffer.len() >= bound {
                self.flush(reply).await?;
            }
        }
        // A stream that has begun shows every block at once.
        if reply.has_begun() && !self.buffer.is_empty() {
            self.flush(reply).await?;
        }
        Ok(())
    }

    async fn flush(&mut self, reply: &mut Reply<'_>) -> Result<(), Stop> {
        let capacity = self.buffer.capacity().min(2 * FLUSH_BYTES);
        let piece = std::mem::replace(&mut self.buffer, Vec::with_capacity(capacity));
        reply.send(piece).await
    }

    async fn fail(mut self, exception: &Exception, reply: &mut Reply<'_>) {
        if !self.settings.switches.has(Switch::ExceptionInFormat) {
            return reply.fail(exception, &self.tag).await;
        }
        if reply.has_begun() {
            if self.writer.exception(&exception.text(), &mut self.buffer) {
                reply.end(self.buffer).await;
            } else {
                reply.fail(exception, &self.tag).await;
            }
            return;
        }
        // Nothing was sent: the rows so far are discarded, the error is the whole document.
        let mut writer = self.format.writer(self.columns, self.settings);
        let mut body = Vec::new();
        writer.head(&mut body);
        if writer.exception(&exception.text(), &mut body) {
            reply.fail_with(exception, body).await;
        } else {
            reply.fail(exception, &self.tag).await;
        }
    }
}

/// How many rows to format next, when so many rows took so many bytes: about a step's worth of bytes, so that
/// wide rows do not pile up and narrow ones come in large blocks.
fn next_step(rows: usize, bytes: usize) -> usize {
    let per_row = (bytes / rows.max(1)).max(1);
    (STEP_BYTES / per_row).clamp(1, MAX_STEP_ROWS)
}

/// The value of `X-ClickHouse-Summary`.
fn summary(progress: &Progress, elapsed: Duration) -> String {
    format!(
        "{{\"read_rows\":\"{}\",\"read_bytes\":\"{}\",\"written_rows\":\"0\",\"written_bytes\":\"0\",\
         \"total_rows_to_read\":\"{}\",\"result_rows\":\"{}\",\"result_bytes\":\"{}\",\"elapsed_ns\":\"{}\",\
         \"memory_usage\":\"{}\"}}",
        progress.read_rows(),
        progress.read_bytes(),
        progress.total_rows_to_read(),
        progress.result_rows(),
        progress.result_bytes(),
        elapsed.as_nanos(),
        progress.memory_bytes(),
    )
}
