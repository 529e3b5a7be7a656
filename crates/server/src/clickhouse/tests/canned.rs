//! Answers on purpose, chosen by the statement's text.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{ArrayRef, StringViewArray, UInt8Array, UInt64Array};
use arrow::record_batch::RecordBatch;
use cairn_query::{Answer, AnswerColumn, Cancel, ErrorCode, Query, QueryError};
use chrono_tz::Tz;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt as _, StreamExt as _};
use tokio::net::TcpListener;
use tokio::sync::{Notify, oneshot};

use crate::access::Users;
use crate::clickhouse::{ClickHouseState, RunQuery, router};
use crate::http::{ServeLimits, serve};

/// Statements and what they answer: `one` a row · `rows N` N rows in blocks of a thousand · `fail
/// N` N rows, then an error · `gate` a row, and another when the gate opens · `endless` rows until
/// cancelled · `silent` nothing until cancelled · `set` no result · `echo` the query as it arrived
/// · `bad` an error at once.
#[derive(Debug, Default)]
pub(super) struct Canned {
    pub(super) gate: Notify,
    pub(super) cancelled: Notify,
    pub(super) blocks: AtomicU64,
}

/// The canned answers as the server holds them.
#[derive(Debug)]
struct Shared(Arc<Canned>);

impl RunQuery for Shared {
    fn insert(
        &self,
        _table: cairn_storage::TableId,
        _columns: Vec<(String, ArrayRef)>,
        _bytes: u64,
    ) -> BoxFuture<'_, Result<(), QueryError>> {
        async { Err(boom()) }.boxed()
    }

    fn run(&self, query: Query, cancel: Cancel) -> BoxFuture<'_, Result<Answer, QueryError>> {
        async move { self.answer(&query, cancel) }.boxed()
    }
}

type Rows = BoxStream<'static, Result<RecordBatch, QueryError>>;

impl Shared {
    fn answer(&self, query: &Query, cancel: Cancel) -> Result<Answer, QueryError> {
        let (text, format) = match query.text.split_once(" FORMAT ") {
            Some((text, format)) => (text.to_owned(), Some(format.to_owned())),
            None => (query.text.clone(), None),
        };
        let count = || {
            text.split(' ')
                .next_back()
                .and_then(|n| n.parse().ok())
                .unwrap_or(0)
        };
        let rows = match text.split(' ').next().unwrap_or_default() {
            "one" => futures::stream::iter([Ok(numbers(1..2))]).boxed(),
            "rows" => blocks(count()).boxed(),
            "fail" => blocks(count())
                .chain(futures::stream::iter([Err(boom())]))
                .boxed(),
            "gate" => self.gated(),
            "endless" => self.endless(cancel),
            "silent" => self.silent(cancel),
            "set" => {
                return Ok(answer(
                    query,
                    format,
                    futures::stream::empty().boxed(),
                    "",
                    false,
                ));
            }
            "echo" => return Ok(echo(query, format)),
            _ => {
                let message = "Unknown expression identifier `nope`";
                return Err(QueryError::new(ErrorCode::UnknownIdentifier, message));
            }
        };
        Ok(answer(query, format, rows, "n", true))
    }

    fn gated(&self) -> Rows {
        let canned = Arc::clone(&self.0);
        let later = async move {
            canned.gate.notified().await;
            Ok(numbers(2..3))
        };
        futures::stream::iter([Ok(numbers(1..2))])
            .chain(later.into_stream())
            .boxed()
    }

    fn endless(&self, cancel: Cancel) -> Rows {
        let canned = Arc::clone(&self.0);
        tell_when_cancelled(Arc::clone(&canned), cancel);
        futures::stream::repeat_with(move || {
            canned.blocks.fetch_add(1, Ordering::SeqCst);
            Ok(numbers(0..1000))
        })
        .boxed()
    }

    fn silent(&self, cancel: Cancel) -> Rows {
        tell_when_cancelled(Arc::clone(&self.0), cancel);
        futures::stream::pending().boxed()
    }
}

fn tell_when_cancelled(canned: Arc<Canned>, cancel: Cancel) {
    tokio::spawn(async move {
        cancel.cancelled().await;
        canned.cancelled.notify_one();
    });
}

fn boom() -> QueryError {
    QueryError::new(ErrorCode::FunctionThrowIfValueIsNonZero, "boom")
}

fn numbers(range: std::ops::Range<u64>) -> RecordBatch {
    let numbers: ArrayRef = Arc::new(range.collect::<UInt64Array>());
    RecordBatch::try_from_iter([("n", numbers)]).unwrap()
}

fn blocks(count: u64) -> impl futures::Stream<Item = Result<RecordBatch, QueryError>> + Send {
    let starts = (0..count).step_by(1000);
    futures::stream::iter(starts.map(move |from| Ok(numbers(from..count.min(from + 1000)))))
}

fn answer(
    query: &Query,
    format: Option<String>,
    rows: Rows,
    name: &str,
    has_result: bool,
) -> Answer {
    Answer {
        columns: vec![AnswerColumn {
            name: name.to_owned(),
            ty: "UInt64".parse().unwrap(),
        }],
        has_result,
        format,
        settings: query.settings.clone(),
        rows,
        progress: Arc::default(),
        limited: false,
        session: Vec::new(),
        kill: None,
        refusal: cairn_query::Refusal::default(),
        totals: None,
    }
}

/// Text, database, user and parameters as columns, and whether only reading is allowed.
fn echo(query: &Query, format: Option<String>) -> Answer {
    let parameters: Vec<String> = query
        .parameters
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let texts = [
        query.text.clone(),
        query.database.clone().unwrap_or_default(),
        query.user.clone(),
        parameters.join("&"),
    ];
    let mut columns: Vec<(String, ArrayRef)> = Vec::new();
    for (at, text) in texts.iter().enumerate() {
        columns.push((
            format!("c{at}"),
            Arc::new(StringViewArray::from(vec![text.as_str()])),
        ));
    }
    let read_only = u8::from(query.access != cairn_query::Access::Full);
    columns.push((
        "read_only".to_owned(),
        Arc::new(UInt8Array::from(vec![read_only])),
    ));
    let named = |(name, _): &(String, ArrayRef)| AnswerColumn {
        name: name.clone(),
        ty: if name == "read_only" {
            "UInt8"
        } else {
            "String"
        }
        .parse()
        .unwrap(),
    };
    let answer_columns = columns.iter().map(named).collect();
    let rows = futures::stream::iter([Ok(RecordBatch::try_from_iter(columns).unwrap())]).boxed();
    Answer {
        columns: answer_columns,
        ..answer(query, format, rows, "", true)
    }
}

/// A running port.
pub(super) struct Port {
    pub(super) addr: std::net::SocketAddr,
    pub(super) canned: Arc<Canned>,
    pub(super) stop: oneshot::Sender<()>,
    pub(super) stopped: tokio::task::JoinHandle<usize>,
}

/// Opens a port with canned answers.
pub(super) async fn open(limits: ServeLimits) -> Port {
    let canned = Arc::new(Canned::default());
    let state = ClickHouseState {
        runner: Arc::new(Shared(Arc::clone(&canned))),
        queries: tokio::runtime::Handle::current(),
        display_name: "test-host".to_owned(),
        timezone: Tz::UTC,
        processes: Arc::default(),
        users: Arc::new(Users::new(Vec::new(), true)),
    };
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let addr = listener.local_addr().unwrap();
    let (stop, stopping) = oneshot::channel();
    let stopped = tokio::spawn(async move {
        serve(listener, router(state), limits, async {
            drop(stopping.await);
        })
        .await
    });
    Port {
        addr,
        canned,
        stop,
        stopped,
    }
}
