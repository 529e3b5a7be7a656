//! Runs a query and turns its answer into a head and pieces of a body. It decides when the response
//! begins: as late as an error may still get a status of its own, as early as a reader of a stream
//! wants to see rows.

use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use cairn_query::{
    Answer, AnswerColumn, Cancel, ErrorCode, Query, QueryError, Refusal, SenderFact,
};
use chrono_tz::Tz;
use futures::StreamExt as _;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio::time::Instant;

use super::body::Piece;
use super::exception::Exception;
use super::format::{Format, FormatSettings, FormatWriter, Switch, Totals};
use super::insert::{Insert, Inserter};
use super::kill::Killer;
use super::limits::{
    FIRST_FLUSH_DELAY, FIRST_STEP_ROWS, FLUSH_BYTES, MAX_EXTRA_HEADERS, MAX_STEP_ROWS, STEP_BYTES,
};
use super::processes::{Processes, Statement};
use super::progress::ProgressNotes;
use super::reply::{Head, Reply, Stop};
use super::request::Wishes;
use super::runner::RunQuery;
use super::sessions::Lease;

/// One query to run for a response.
pub(super) struct Job {
    pub(super) runner: Arc<dyn RunQuery>,
    pub(super) query: Query,
    /// The data, when the statement is an INSERT.
    pub(super) insert: Option<Insert>,
    /// Also pulled by the response when its client goes away.
    pub(super) cancel: Cancel,
    pub(super) wishes: Wishes,
    /// Zone of times without one, unless the session has another.
    pub(super) timezone: Tz,
    /// The tag in the response's header.
    pub(super) tag: String,
    /// The session of the request, if it has one.
    pub(super) session: Option<Lease>,
    /// The user's place for one query, if his are counted.
    pub(super) place: Option<OwnedSemaphorePermit>,
    pub(super) processes: Arc<Processes>,
    pub(super) sender: SenderFact,
}

/// Runs the job. The head is sent once; pieces follow until an end or a break. When nobody receives
/// any more, the query is cancelled.
pub(super) async fn produce(job: Job, head: oneshot::Sender<Head>, pieces: mpsc::Sender<Piece>) {
    let cancel = job.cancel.clone();
    let notes = Arc::<ProgressNotes>::default();
    let noted = note_progress(Arc::clone(&notes), &job);
    let work = run(job, notes, head, &pieces);
    tokio::select! {
        () = work => {}
        () = noted => {}
        () = pieces.closed() => {}
    }
    // Ends what still runs for an answer that nobody waits for; does nothing after a complete one.
    cancel.cancel();
}

/// Notes the progress of the query when the client wants that; never ends.
fn note_progress(notes: Arc<ProgressNotes>, job: &Job) -> impl Future<Output = ()> + use<> {
    let every = job.wishes.progress_every;
    let progress = Arc::clone(&job.query.progress);
    async move {
        match every {
            Some(every) => notes.keep(&progress, every).await,
            None => std::future::pending().await,
        }
    }
}

async fn run(
    job: Job,
    notes: Arc<ProgressNotes>,
    head: oneshot::Sender<Head>,
    pieces: &mpsc::Sender<Piece>,
) {
    let Job {
        runner,
        query,
        insert,
        cancel,
        wishes,
        timezone,
        tag,
        session,
        place,
        processes,
        sender,
    } = job;
    let mut reply = Reply::new(head, pieces, &wishes, timezone, Arc::clone(&query.progress));
    reply.notes = notes;
    reply.held.session = session;
    reply.held.place = place;
    let by_get = matches!(sender.http_method.as_str(), "GET" | "HEAD");
    let killer = Killer::new(Arc::clone(&processes), sender.user.clone());
    let statement = statement(&query, sender);
    let begun = processes.begin(statement, cancel.clone(), Arc::clone(&query.progress));
    match begun.await {
        Ok(registration) => reply.held.registration = Some(registration),
        Err(exception) => return reply.fail(&exception, &tag).await,
    }
    let answer = match insert {
        None => runner.run(query, cancel).await.map_err(Exception::from),
        Some(insert) => {
            let inserter = Inserter {
                runner,
                query,
                cancel,
                timezone,
                by_get,
            };
            inserter.insert(insert).await
        }
    };
    let answer = match answer {
        Ok(answer) => killer.carry_out(answer).await,
        Err(exception) => Err(exception),
    };
    let answer = match answer {
        Ok(answer) => answer,
        Err(exception) => return reply.fail(&exception, &tag).await,
    };
    if let Some(session) = &mut reply.held.session {
        session.change(&answer.session);
    }
    respond(answer, reply, &wishes, timezone, tag).await;
}

fn statement(query: &Query, sender: SenderFact) -> Statement {
    Statement {
        query_id: query.query_id.clone(),
        text: query.text.clone(),
        database: query
            .database
            .clone()
            .unwrap_or_else(|| "default".to_owned()),
        settings: query.settings.clone(),
        sender,
    }
}

/// Writes an answer in its format.
async fn respond(answer: Answer, mut reply: Reply<'_>, wishes: &Wishes, timezone: Tz, tag: String) {
    let Answer {
        columns,
        has_result,
        format,
        settings,
        mut rows,
        limited,
        refusal,
        totals,
        ..
    } = answer;
    reply.extra_headers = extra_headers(&settings);
    if !has_result {
        while let Some(batch) = rows.next().await {
            if let Err(error) = batch {
                return reply.fail(&error.into(), &tag).await;
            }
        }
        return reply.finish(Vec::new()).await;
    }
    let (format, mut settings) = match choose(format, &settings, wishes, timezone) {
        Ok(chosen) => chosen,
        Err((code, exception)) => {
            refusal.refuse(code);
            return reply.fail(&exception, &tag).await;
        }
    };
    settings.progress = Arc::clone(&reply.progress);
    reply.format = Some(format);
    reply.timezone = settings.timezone;
    let result = ResultWriter {
        writer: format.writer(columns.clone(), settings.clone()),
        format,
        columns,
        settings,
        buffer: Vec::new(),
        step_rows: FIRST_STEP_ROWS,
        hold_bytes: wishes.hold_bytes,
        limited,
        tag,
        refusal,
        totals,
    };
    result.write(rows, reply).await;
}

/// `http_response_headers`, a map literal such as `{'X-My':'v'}`; what is no such literal is ignored.
fn extra_headers(settings: &[(String, String)]) -> Vec<(String, String)> {
    let found = settings
        .iter()
        .rev()
        .find(|(name, _)| name == "http_response_headers");
    let Some((_, literal)) = found else {
        return Vec::new();
    };
    let quoted: Vec<&str> = literal.split('\'').skip(1).step_by(2).collect();
    quoted
        .chunks_exact(2)
        .take(MAX_EXTRA_HEADERS)
        .map(|pair| (pair[0].to_owned(), pair[1].to_owned()))
        .collect()
}

/// The format of the result and how it prints, strongest wish first: `output_format`, the FORMAT
/// clause, the request's default.
fn choose(
    clause: Option<String>,
    pairs: &[(String, String)],
    wishes: &Wishes,
    timezone: Tz,
) -> Result<(&'static Format, FormatSettings), (ErrorCode, Exception)> {
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
    let refused = |code: ErrorCode, message: String| (code, Exception::new(code, message));
    let format = Format::find(&name)
        .ok_or_else(|| refused(ErrorCode::UnknownFormat, format!("Unknown format {name}")))?;
    let mut settings = FormatSettings::new(timezone);
    settings.protocol_version = wishes.protocol_version;
    for (name, value) in pairs {
        settings.apply(name, value).map_err(|value| {
            refused(
                ErrorCode::CannotParseInputAssertionFailed,
                format!("Cannot parse input: bad value of setting `{name}` before: '{value}'"),
            )
        })?;
    }
    Ok((format, settings))
}

type Rows = futures::stream::BoxStream<'static, Result<RecordBatch, QueryError>>;

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
    /// Bytes that are kept back before the head is sent.
    hold_bytes: usize,
    limited: bool,
    tag: String,
    refusal: Refusal,
    /// The row of WITH TOTALS.
    totals: Option<RecordBatch>,
}

impl ResultWriter {
    async fn write(mut self, mut rows: Rows, mut reply: Reply<'_>) {
        self.writer.head(&mut self.buffer);
        let mut hold_until = None;
        loop {
            let held = !reply.has_begun() && self.hold_bytes <= FLUSH_BYTES;
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
        if let Some(row) = self.totals.take()
            && let Err(error) = self.writer.totals(&row, &mut self.buffer)
        {
            let exception = Exception::new(ErrorCode::LogicalError, error.to_string());
            return self.fail(&exception, &mut reply).await;
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
                self.refusal.refuse(ErrorCode::LogicalError);
                Exception::new(ErrorCode::LogicalError, error.to_string())
            })?;
            from += count;
            self.step_rows = next_step(count, self.buffer.len() - before);
            let bound = match reply.has_begun() {
                true => FLUSH_BYTES,
                false => self.hold_bytes,
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

/// How many rows to format next, when so many rows took so many bytes: about a step's worth of
/// bytes, so that wide rows do not pile up and narrow ones come in large blocks.
fn next_step(rows: usize, bytes: usize) -> usize {
    let per_row = (bytes / rows.max(1)).max(1);
    (STEP_BYTES / per_row).clamp(1, MAX_STEP_ROWS)
}
