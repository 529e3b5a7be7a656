//! Whole answers without storage, compared with what ClickHouse answered.

mod clauses;
mod filling;

use std::sync::Arc;

use cairn_storage::{ScanColumn, TableId};
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::concat_batches;
use datafusion::execution::SessionStateBuilder;
use datafusion::logical_expr::TableSource;
use datafusion::physical_plan::collect;
use datafusion::prelude::SessionConfig;

use super::*;
use crate::analyze::{AnalyzeContext, Analyzed, TypedStatement, analyze};
use crate::catalog::{Moment, TableKind};
use crate::control::Cancel;
use crate::error::ErrorCode;
use crate::functions;
use crate::syntax::parse;
use crate::types::{Type, Value};

const ANSWERS: &str = include_str!("../fixtures/answers.txt");
/// Recorded answers that differ on purpose or for now, each with its reason. A query that no longer differs must leave.
const GAPS: &str = include_str!("../fixtures/gaps.txt");

#[derive(Debug)]
struct NoTables;

impl ScanSources for NoTables {
    fn source(&self, _: TableId, _: &[ScanColumn]) -> Result<Arc<dyn TableSource>> {
        Err(QueryError::new(ErrorCode::UnknownTable, "no tables here"))
    }
}

fn context() -> AnalyzeContext {
    AnalyzeContext {
        functions: functions::Context {
            now_ns: 1_790_000_000_000_000_000,
            timezone: "UTC".to_owned(),
            server_timezone: "UTC".to_owned(),
            query_id: "q".to_owned(),
            database: "default".to_owned(),
            user: "default".to_owned(),
            host_name: "host".to_owned(),
            display_name: "host".to_owned(),
            uptime_s: 1,
        },
        database: "default".to_owned(),
        moment: Moment::default(),
        known: Arc::default(),
    }
}

async fn run(text: &str) -> Result<Vec<String>> {
    let (_, rows) = described_rows(text).await?;
    Ok(rows)
}

/// Columns with their types, and rows.
async fn described_rows(text: &str) -> Result<(Vec<(String, Type)>, Vec<String>)> {
    asked(text, &[], &[]).await
}

type Pairs<'a> = &'a [(String, String)];

/// The same with parameters and settings of the request.
async fn asked(
    text: &str,
    parameters: Pairs<'_>,
    settings: Pairs<'_>,
) -> Result<(Vec<(String, Type)>, Vec<String>)> {
    let (statement, all) = match whole_answer(text, parameters, settings).await {
        Err(error) if error.message == "no query" => {
            return Ok((Vec::new(), vec![error.message]));
        }
        answer => answer?,
    };
    let output = &statement.query.output;
    let columns: Vec<_> = output
        .iter()
        .map(|c| (c.name.clone(), c.ty.clone()))
        .collect();
    let types: Vec<Type> = output.iter().map(|c| c.ty.clone()).collect();
    let rows = rows(&all, &types)?;
    Ok((columns, rows))
}

/// The typed statement and its rows as one batch.
async fn whole_answer(
    text: &str,
    parameters: Pairs<'_>,
    settings: Pairs<'_>,
) -> Result<(TypedStatement, RecordBatch)> {
    let parsed = parse(text, parameters)?;
    let mut context = context();
    context.moment.settings = settings.to_vec();
    let Analyzed::Query(statement) = analyze(&parsed, &context)? else {
        return Err(QueryError::new(ErrorCode::LogicalError, "no query"));
    };
    let plan = lower(&statement, &NoTables, &Cancel::new())?.plan;
    let config = SessionConfig::new().with_target_partitions(2);
    let state = SessionStateBuilder::new()
        .with_config(config)
        .with_default_features()
        .with_analyzer_rules(Vec::new())
        .build();
    let plan = state.optimize(&plan)?;
    let physical = state
        .query_planner()
        .create_physical_plan(&plan, &state)
        .await?;
    let schema = physical.schema();
    let batches = collect(physical, state.task_ctx()).await?;
    let all = concat_batches(&schema, &batches).expect("batches have the plan's schema");
    Ok((*statement, all))
}

fn rows(batch: &RecordBatch, types: &[Type]) -> Result<Vec<String>> {
    (0..batch.num_rows())
        .map(|row| {
            let fields: Result<Vec<String>> = batch
                .columns()
                .iter()
                .zip(types)
                .map(|(array, ty)| {
                    assert_eq!(*array.data_type(), ty.arrow(), "physical form of {ty}");
                    Ok(show(&Value::from_array(array, row, ty)?, false))
                })
                .collect();
            Ok(fields?.join("\t"))
        })
        .collect()
}

fn show(value: &Value, nested: bool) -> String {
    let list = |items: &[Value]| {
        items
            .iter()
            .map(|v| show(v, true))
            .collect::<Vec<_>>()
            .join(",")
    };
    match value {
        Value::Null if nested => "NULL".to_owned(),
        Value::Null => "\\N".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::UInt(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Float(value) if value.is_nan() => "nan".to_owned(),
        Value::Float(value) => value.to_string(),
        Value::String(value) if nested => format!("'{value}'"),
        Value::String(value) => value.clone(),
        Value::Array(items) => format!("[{}]", list(items)),
        Value::Tuple(items) => format!("({})", list(items)),
        Value::Map(entries) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|(key, value)| format!("{}:{}", show(key, true), show(value, true)))
                .collect();
            format!("{{{}}}", entries.join(","))
        }
    }
}

/// A cursor over a fixture: a query at the beginning of a line, its rows after tabs.
fn cases(text: &str) -> Vec<(String, Vec<String>)> {
    let mut cases: Vec<(String, Vec<String>)> = Vec::new();
    for line in text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
    {
        match (line.strip_prefix('\t'), cases.last_mut()) {
            (Some(row), Some((_, rows))) => rows.push(row.to_owned()),
            _ => cases.push((line.to_owned(), Vec::new())),
        }
    }
    cases
}

#[tokio::test]
async fn answers_are_those_of_clickhouse() {
    let mut gaps: Vec<&str> = GAPS
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    let mut wrong = Vec::new();
    let cases = cases(ANSWERS);
    assert!(cases.len() >= 70, "only {} queries", cases.len());
    for (query, expected) in &cases {
        let found = match run(query).await {
            Ok(rows) => rows,
            Err(error) => vec![format!("! {:?} {error}", error.code)],
        };
        let gap = gaps.iter().position(|gap| gap == query);
        match (found == *expected, gap) {
            (true, None) => {}
            (false, Some(gap)) => drop(gaps.remove(gap)),
            (true, Some(_)) => wrong.push(format!("{query}\n  is no gap any more")),
            (false, None) => {
                wrong.push(format!(
                    "{query}\n  expected {expected:?}\n  found    {found:?}"
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
    assert!(gaps.is_empty(), "unknown queries in gaps: {gaps:?}");
}

#[tokio::test]
async fn every_table_of_the_process_can_be_read_whole_and_described() {
    let tables = crate::catalog::tables().iter();
    for table in tables.filter(|table| table.kind == TableKind::System) {
        let (database, name) = (&table.database, &table.name);
        for text in [
            format!("SELECT * FROM {database}.{name}"),
            format!("SELECT * FROM {database}.{name} LIMIT 3"),
            format!("SELECT count() FROM {database}.{name} WHERE 1"),
            format!("SHOW CREATE TABLE {database}.{name}"),
        ] {
            let answer = run(&text).await;
            assert!(answer.is_ok(), "{text}: {answer:?}");
        }
        let described = run(&format!("DESCRIBE {database}.{name}")).await;
        assert_eq!(described.map(|rows| rows.len()), Ok(table.columns.len()));
        let names = table.columns.iter().map(|c| format!("`{}`", c.name));
        let names: Vec<String> = names.collect();
        let text = format!("SELECT {} FROM {database}.{name}", names.join(", "));
        assert!(run(&text).await.is_ok(), "{text}");
    }
}

#[tokio::test]
async fn show_statements_are_queries_over_system_tables() {
    for (text, expected) in [
        (
            "SHOW SETTINGS LIKE 'max_result_r%'",
            "max_result_rows\tUInt64\t0",
        ),
        ("SHOW SETTING max_query_size", "262144"),
        ("SHOW FUNCTIONS LIKE 'indexHint'", "indexHint\t0\t0"),
        ("SHOW GRANTS", "GRANT SELECT, SHOW ON *.* TO default"),
        (
            "SHOW CREATE DATABASE system",
            "CREATE DATABASE system\nENGINE = Atomic",
        ),
        ("SHOW INDEX FROM otel_logs", "otel_logs\t1\tPRIMARY\t1"),
        ("SHOW ENGINES", "MergeTree"),
        (
            "SHOW TABLES FROM information_schema LIKE 'schemata'",
            "schemata",
        ),
    ] {
        let rows = run(text).await.unwrap();
        let first = rows.first().cloned().unwrap_or_default();
        assert!(first.starts_with(expected), "{text}: {first}");
    }
    for text in ["SHOW PROCESSLIST", "SHOW DICTIONARIES"] {
        assert_eq!(run(text).await, Ok(Vec::new()), "{text}");
    }
}

#[tokio::test]
async fn parameters_are_read_as_their_types() {
    for (ty, value, expected) in [
        ("String", "it's \\t a tab", "it's \t a tab"),
        ("String", "a\\\tb", "a\tb"),
        ("UInt64", "18446744073709551615", "18446744073709551615"),
        ("Nullable(String)", "\\N", "\\N"),
        (
            "Array(String)",
            "['x', 'y\\'z', 'a\\\\b']",
            "['x','y'z','a\\b']",
        ),
        ("Array(Nullable(UInt8))", "[1, NULL ,3]", "[1,NULL,3]"),
        ("Array(Array(UInt8))", "[[1],[],[2,3]]", "[[1],[],[2,3]]"),
        ("Array(String)", "[]", "[]"),
        ("Tuple(UInt8, String)", "(1,'x')", "(1,'x')"),
        ("Map(String, Array(UInt8))", "{'k':[1]}", "{'k':[1]}"),
    ] {
        let parameters = [("p".to_owned(), value.to_owned())];
        let rows = asked(&format!("SELECT {{p:{ty}}}"), &parameters, &[]).await;
        let (_, rows) = rows.unwrap();
        assert_eq!(rows, [expected], "{ty} {value}");
    }
    for (ty, value) in [
        ("Array(String)", "['x'"),
        ("Array(String)", "['x"),
        ("Array(String)", "['x']]"),
        ("Array(UInt8)", "[1,]"),
        ("Array(UInt8)", "['a']"),
        ("Tuple(UInt8, String)", "(1)"),
        ("Map(String, UInt8)", "{'k' 1}"),
        ("String", "a\tb"),
    ] {
        let parameters = [("p".to_owned(), value.to_owned())];
        let error = asked(&format!("SELECT {{p:{ty}}}"), &parameters, &[]).await;
        assert_eq!(
            error.unwrap_err().code,
            ErrorCode::BadQueryParameter,
            "{ty} {value}"
        );
    }
}

#[tokio::test]
async fn filters_beside_the_query_hold_for_the_tables_they_name() {
    let filtered = |filters: &str, text: &'static str| {
        let settings = [("additional_table_filters".to_owned(), filters.to_owned())];
        async move { asked(text, &[], &settings).await }
    };
    let databases = "SELECT count() FROM system.databases";
    for (filters, text, expected) in [
        (
            "{'system.databases' : ' name = \\'default\\' '}",
            databases,
            "1",
        ),
        ("{'databases':'name = 1'}", databases, "4"),
        ("{'system.tables':'0'}", databases, "4"),
        ("{}", databases, "4"),
        ("", databases, "4"),
        (
            "{'system.databases':'name != \\'default\\''}",
            "SELECT count() FROM (SELECT name AS n FROM system.databases AS d) WHERE n != 'system'",
            "2",
        ),
    ] {
        let (_, rows) = filtered(filters, text).await.unwrap();
        assert_eq!(rows, [expected], "{filters}");
    }
    for (filters, code) in [
        (
            "{'system.databases':'nosuch = 1'}",
            ErrorCode::UnknownIdentifier,
        ),
        (
            "{'system.databases':'1 = 1 nonsense 2'}",
            ErrorCode::SyntaxError,
        ),
        ("nonsense", ErrorCode::BadArguments),
    ] {
        let error = filtered(filters, databases).await.unwrap_err();
        assert_eq!(error.code, code, "{filters}");
    }
}

#[tokio::test]
async fn table_functions_make_rows() {
    for (text, expected) in [
        (
            "SELECT * FROM values('a UInt8, b String', (1, 'x'), (2, 'y'))",
            &["1\tx", "2\ty"][..],
        ),
        (
            "SELECT a + 1 FROM VALUES('a Nullable(UInt64)', 1, NULL)",
            &["2", "\\N"],
        ),
        (
            "SELECT toTypeName(c1), c2 FROM values((1, 'x'), (300, 'y'))",
            &["UInt16\tx", "UInt16\ty"],
        ),
        (
            "SELECT generate_series FROM generate_series(5, 9, 2)",
            &["5", "7", "9"],
        ),
        ("SELECT count() FROM generate_series(5, 4)", &["0"]),
        ("SELECT sum(zero), count() FROM zeros(3)", &["0\t3"]),
        ("SELECT dummy FROM cluster('default', system.one)", &["0"]),
        (
            "SELECT dummy FROM clusterAllReplicas(default, system, one)",
            &["0"],
        ),
        ("SHOW CLUSTERS", &["default"]),
    ] {
        let rows = run(text).await;
        assert_eq!(
            rows.as_deref(),
            Ok(&expected
                .iter()
                .map(|row| (*row).to_owned())
                .collect::<Vec<_>>()[..]),
            "{text}"
        );
    }
    for (text, code) in [
        (
            "SELECT * FROM cluster('nosuch', system.one)",
            ErrorCode::ClusterDoesntExist,
        ),
        (
            "SELECT * FROM values('a UInt8, b String', (1))",
            ErrorCode::BadArguments,
        ),
        ("SELECT * FROM nosuch(1)", ErrorCode::UnknownFunction),
    ] {
        assert_eq!(run(text).await.unwrap_err().code, code, "{text}");
    }
}

#[tokio::test]
async fn setting_up_what_is_there_succeeds_and_changes_nothing() {
    for text in [
        "CREATE DATABASE IF NOT EXISTS `default`",
        "CREATE TABLE IF NOT EXISTS otel_logs (Timestamp DateTime64(9), Body String) ENGINE = MergeTree ORDER BY Timestamp",
        "CREATE TABLE IF NOT EXISTS default.otel_traces (Events Nested (Name String)) ENGINE = MergeTree() ORDER BY tuple()",
        "CREATE MATERIALIZED VIEW IF NOT EXISTS x_mv TO otel_traces_trace_id_ts AS SELECT 1",
        "DROP TABLE IF EXISTS nosuch SYNC",
        "DROP DATABASE IF EXISTS nosuch",
        "SYSTEM FLUSH LOGS",
    ] {
        assert_eq!(run(text).await.unwrap(), ["no query"], "{text}");
    }
    for (text, code) in [
        ("CREATE DATABASE default", ErrorCode::DatabaseAlreadyExists),
        (
            "CREATE DATABASE IF NOT EXISTS other",
            ErrorCode::NotImplemented,
        ),
        (
            "CREATE TABLE otel_logs (a UInt8) ENGINE = Memory",
            ErrorCode::TableAlreadyExists,
        ),
        (
            "CREATE TABLE IF NOT EXISTS otel_logs (nosuch UInt8) ENGINE = Memory",
            ErrorCode::NotImplemented,
        ),
        (
            "CREATE TABLE IF NOT EXISTS mine (a UInt8) ENGINE = Memory",
            ErrorCode::NotImplemented,
        ),
        ("DROP TABLE nosuch", ErrorCode::UnknownTable),
        ("DROP TABLE IF EXISTS otel_logs", ErrorCode::AccessDenied),
        ("TRUNCATE TABLE otel_traces", ErrorCode::AccessDenied),
        ("DROP DATABASE default", ErrorCode::AccessDenied),
        ("GRANT SELECT ON *.* TO x", ErrorCode::AccessDenied),
    ] {
        assert_eq!(run(text).await.unwrap_err().code, code, "{text}");
    }
}
