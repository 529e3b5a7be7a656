//! The parser on good and bad text.

use proptest::prelude::*;

use super::super::ast::{Arm, ExprKind, Statement};
use super::super::print::literal;
use super::*;

/// A tree as text, close to ClickHouse's canonical form.
fn show(expr: &Expr) -> String {
    let list = |items: &[Expr]| items.iter().map(show).collect::<Vec<_>>().join(", ");
    let text = match &expr.kind {
        ExprKind::Literal(value) => literal(value),
        ExprKind::Name(parts) => parts.join("."),
        ExprKind::Parameter { ty, value } => format!("{{{value}:{ty}}}"),
        ExprKind::Star(star) => match &star.qualifier {
            Some(qualifier) => format!("{qualifier}.*"),
            None => format!("* except {}", star.except.join(" ")),
        },
        ExprKind::Call(call) => {
            let distinct = if call.distinct { "distinct " } else { "" };
            let parameters = call
                .parameters
                .as_ref()
                .map_or_else(String::new, |parameters| format!("({})", list(parameters)));
            format!(
                "{}{parameters}({distinct}{})",
                call.name,
                list(&call.arguments)
            )
        }
        ExprKind::Lambda { arguments, body } => {
            format!("({}) -> {}", arguments.join(", "), show(body))
        }
        ExprKind::Tuple(items) => format!("({})", list(items)),
        ExprKind::Array(items) => format!("[{}]", list(items)),
        ExprKind::Subquery(_) => "(query)".to_owned(),
    };
    match &expr.alias {
        Some(alias) => format!("{text} as {alias}"),
        None => text,
    }
}

fn check(input: &str, expect: &str) {
    match parse_expression(input) {
        Ok(expr) => assert_eq!(show(&expr), expect, "{input}"),
        Err(error) => panic!("{input}: {error}"),
    }
}

fn select(text: &str) -> super::super::ast::Select {
    let parsed = parse(text, &[]).unwrap_or_else(|error| panic!("{text}: {error}"));
    let Statement::Query(query) = parsed.statement else {
        panic!("{text} is not a query");
    };
    let Some(Arm::Select(select)) = query.arms.into_iter().next() else {
        panic!("{text} is not a plain select");
    };
    *select
}

fn code(text: &str) -> ErrorCode {
    match parse(text, &[]) {
        Ok(parsed) => panic!("{text} parses: {parsed:?}"),
        Err(error) => error.code,
    }
}

#[test]
fn operators_bind_as_in_clickhouse() {
    check("1 + 2 * 3", "plus(1, multiply(2, 3))");
    check("(1 + 2) * 3", "multiply(plus(1, 2), 3)");
    check("a - b - c", "minus(minus(a, b), c)");
    check("a = 1 AND b OR c", "or(and(equals(a, 1), b), c)");
    check("a AND b AND c", "and(a, b, c)");
    check("(a AND b) AND c", "and(and(a, b), c)");
    check("a || b || 'x'", "concat(a, b, 'x')");
    check("NOT a = 1", "not(equals(a, 1))");
    check("NOT a AND b", "and(not(a), b)");
    check("a = b IS NULL", "isNull(equals(a, b))");
    check("-n", "negate(n)");
    check("-1", "-1");
    check("n -1", "minus(n, 1)");
    check("n % 2 MOD 3 DIV 4", "intDiv(modulo(modulo(n, 2), 3), 4)");
    check("a ? b : c ? d : e", "if(a, b, if(c, d, e))");
    check("a <=> b", "isNotDistinctFrom(a, b)");
    check("a IS DISTINCT FROM b", "isDistinctFrom(a, b)");
}

#[test]
fn words_are_operators_where_operators_can_stand() {
    check(
        "n BETWEEN 1 AND 2 AND b",
        "and(and(greaterOrEquals(n, 1), lessOrEquals(n, 2)), b)",
    );
    check("n NOT BETWEEN 1 AND 2", "or(less(n, 1), greater(n, 2))");
    check("n IN (1, 2)", "in(n, (1, 2))");
    check("n NOT IN ('a')", "notIn(n, 'a')");
    check("n GLOBAL NOT IN (SELECT 1)", "globalNotIn(n, (query))");
    check(
        "a LIKE 'x' OR a NOT ILIKE 'y'",
        "or(like(a, 'x'), notILike(a, 'y'))",
    );
    check("a REGEXP 'x'", "match(a, 'x')");
    check("a IS NOT NULL", "isNotNull(a)");
    check("(a)AND(b)", "and(a, b)");
    check("NOT(a)", "not(a)");
}

#[test]
fn literals_keep_their_kind() {
    check("'it''s' ", "'it\\'s'");
    check(r"'a\_b\%'", r"'a\\_b\\%'");
    check("$$raw's$$", "'raw\\'s'");
    check("$t$a$$b$t$", "'a$$b'");
    check("x'41'", "'A'");
    check("0xFF", "255");
    check("1_000", "1000");
    check("1.", "1.");
    check(".5", "0.5");
    check("1e3", "1000.");
    check("0x1p3", "8.");
    check("-inf", "-inf");
    check("18446744073709551616", "18446744073709552000.");
    check("-9223372036854775808", "-9223372036854775808");
    check("[1, NULL]", "[1, NULL]");
    check("{'a': 1}", "map('a', 1)");
    check("a -- comment\n + 1 /* more */ # and\n", "plus(a, 1)");
}

#[test]
fn points_and_brackets_reach_inside() {
    check("t.1", "tupleElement(t, 1)");
    check("t.1.2", "tupleElement(tupleElement(t, 1), 2)");
    check("f(x).name", "tupleElement(f(x), 'name')");
    check("m['k']", "arrayElement(m, 'k')");
    check("a[1][2]", "arrayElement(arrayElement(a, 1), 2)");
    check("`Events`.Name", "Events.Name");
    check("`Events.Name`", "Events.Name");
    check("\"a b\".c.d", "a b.c.d");
}

#[test]
fn casts_keep_the_text_of_the_type() {
    check("1::UInt8", "CAST('1', 'UInt8')");
    check("n::Nullable(String)", "CAST(n, 'Nullable(String)')");
    check(
        "CAST(n AS DateTime64(9,'UTC'))",
        r"CAST(n, 'DateTime64(9, \'UTC\')')",
    );
    check("cast(n, 'T')", "cast(n, 'T')");
    check(
        "CAST(x AS Tuple(a UInt8, b Array(String)))",
        "CAST(x, 'Tuple(a UInt8, b Array(String))')",
    );
}

#[test]
fn forms_with_words_inside_become_calls() {
    check("CASE WHEN a THEN b END", "multiIf(a, b, NULL)");
    check(
        "CASE x WHEN 1 THEN 2 ELSE 3 END",
        "caseWithExpression(x, 1, 2, 3)",
    );
    check("INTERVAL 1 DAY", "toIntervalDay(1)");
    check("d + INTERVAL n HOUR", "plus(d, toIntervalHour(n))");
    check("INTERVAL '1' minute", "toIntervalMinute('1')");
    check(
        "INTERVAL '1 day 2 hours'",
        "(toIntervalDay(1), toIntervalHour(2))",
    );
    check("EXTRACT(YEAR FROM d)", "toYear(d)");
    check("extract(s, 'x')", "extract(s, 'x')");
    check("DATE '2026-01-01'", "toDate('2026-01-01')");
    check("trim(BOTH 'x' FROM s)", "trimBoth(s, 'x')");
    check("trim(s)", "trimBoth(s)");
    check("substring(s FROM 1 FOR 2)", "substring(s, 1, 2)");
    check("substring(s, 1, 2)", "substring(s, 1, 2)");
    check("position('a' IN s)", "position(s, 'a')");
    check("position(s, 'a')", "position(s, 'a')");
    check("date_add(DAY, 1, d)", "plus(d, toIntervalDay(1))");
    check("date_diff(day, a, b)", "dateDiff('day', a, b)");
    check("x -> x + 1", "(x) -> plus(x, 1)");
    check("f((x, y) -> x, a)", "f((x, y) -> x, a)");
    check("count(*)", "count()");
    check("count(DISTINCT a, b)", "count(distinct a, b)");
    check("quantile(0.9)(x)", "quantile(0.9)(x)");
}

#[test]
fn keywords_can_be_names() {
    for name in [
        "group",
        "time",
        "timestamp",
        "type",
        "table",
        "interval",
        "case",
        "date",
        "not",
    ] {
        check(&format!("f({name}, 1)"), &format!("f({name}, 1)"));
    }
    let select = select("SELECT time, type AS t, group FROM x AS y ORDER BY time");
    assert_eq!(select.items.len(), 3);
}

#[test]
fn a_select_has_its_clauses_where_they_belong() {
    let select = select(
        "WITH 1 AS one, c AS (SELECT 2) SELECT DISTINCT a, b x FROM default.t AS q FINAL \
         LEFT JOIN c ON q.a = c.b PREWHERE p WHERE w GROUP BY a, 2 HAVING h \
         ORDER BY a DESC NULLS FIRST, b LIMIT 1 BY a LIMIT 5, 10 SETTINGS a = 1, b = 'x', c = {'k':'v'}",
    );
    assert_eq!(select.with.len(), 2);
    assert!(select.distinct && select.prewhere.is_some() && select.filter.is_some());
    assert_eq!(
        select.items.get(1).and_then(|item| item.alias.as_deref()),
        Some("x")
    );
    let from = select.from.expect("has FROM");
    assert_eq!(from.first.alias.as_deref(), Some("q"));
    assert!(from.first.is_final);
    assert_eq!(from.joins.len(), 1);
    assert!(select.having.is_some() && select.limit_by.is_some());
    assert_eq!(select.limit.as_ref().map(show).as_deref(), Some("10"));
    assert_eq!(select.offset.as_ref().map(show).as_deref(), Some("5"));
    assert_eq!(
        select.settings,
        vec![
            ("a".to_owned(), "1".to_owned()),
            ("b".to_owned(), "x".to_owned()),
            ("c".to_owned(), "{'k':'v'}".to_owned()),
        ]
    );
}

#[test]
fn statements_and_their_tails_are_read() {
    for text in [
        "SELECT 1;",
        "(SELECT 1) UNION ALL (SELECT 2)",
        "SELECT 1 UNION ALL SELECT 2 FORMAT JSON",
        "FROM t SELECT x",
        "SELECT * EXCEPT (a, b) REPLACE (1 AS c) FROM t",
        "SELECT t.* FROM t, u CROSS JOIN v",
        "SELECT 1 FORMAT JSON SETTINGS a = 1",
        "SELECT 1 SETTINGS a = 1 FORMAT JSON",
        "SELECT sum(x) OVER (PARTITION BY a ORDER BY b ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM t",
        "SELECT row_number() OVER w FROM t WINDOW w AS (ORDER BY a)",
        "SHOW TABLES FROM default LIKE 'otel%' FORMAT JSON",
        "SHOW DATABASES",
        "SHOW CREATE TABLE default.otel_logs",
        "DESCRIBE TABLE otel_logs",
        "DESC (SELECT 1)",
        "EXISTS TABLE a.b",
        "EXPLAIN ESTIMATE SELECT 1",
        "USE default",
        "SET max_threads = 1, a = 'b'",
        "SELECT 1 FROM numbers(10) WHERE x IN (SELECT 1) OFFSET 3",
        "SELECT a FROM t ORDER BY a LIMIT 3 OFFSET 2",
        "SELECT a FROM t LIMIT 1 OFFSET 2 BY a, b",
        "SELECT 1, FROM t",
    ] {
        assert!(parse(text, &[]).is_ok(), "{text}: {:?}", parse(text, &[]));
    }
}

#[test]
fn parameters_are_put_in_where_names_and_values_stand() {
    let parameters = [
        ("t".to_owned(), "otel_logs".to_owned()),
        ("n".to_owned(), "5".to_owned()),
    ];
    let parsed =
        parse("SELECT {n:UInt8} FROM default.{t:Identifier}", &parameters).expect("parses");
    let text = format!("{parsed:?}");
    assert!(
        text.contains("otel_logs") && text.contains("UInt8"),
        "{text}"
    );
    let missing = parse("SELECT {x:UInt8}", &parameters).expect_err("is not set");
    assert_eq!(missing.code, ErrorCode::UnknownQueryParameter);
}

#[test]
fn refusals_are_clear() {
    for text in [
        "",
        ";",
        "SELECT",
        "SELECT 1 2",
        "SELECT (1",
        "SELECT 'a",
        "nonsense",
        "SELECT 1; SELECT 2",
        "SELECT !x",
        "SELECT 1 FROM",
    ] {
        assert_eq!(code(text), ErrorCode::SyntaxError, "{text}");
    }
    assert_eq!(code("INSERT INTO t VALUES (1)"), ErrorCode::NotImplemented);
    assert_eq!(code("SHOW ROLES"), ErrorCode::AccessDenied);
    assert_eq!(
        code("SELECT 1 INTO OUTFILE 'x'"),
        ErrorCode::IntoOutfileNotAllowed
    );
    let error = parse("SELECT a\nFROM )", &[]).expect_err("is wrong");
    assert!(error.message.contains("line 2, col 6"), "{error}");
}

#[test]
fn hostile_lengths_are_refused_before_anything_recurses() {
    let chain = format!("SELECT 1{}", "+1".repeat(2_000));
    assert_eq!(code(&chain), ErrorCode::TooDeepAst);
    let brackets = format!("SELECT {}1{}", "(".repeat(200), ")".repeat(200));
    assert_eq!(code(&brackets), ErrorCode::TooDeepAst);
    let negations = format!("SELECT {}1", "- ".repeat(2_000));
    assert_eq!(code(&negations), ErrorCode::TooDeepAst);
    let indexes = format!("SELECT a{}", "[1]".repeat(2_000));
    assert_eq!(code(&indexes), ErrorCode::TooDeepAst);
    let casts = format!("SELECT a{}", "::T".repeat(2_000));
    assert_eq!(code(&casts), ErrorCode::TooDeepAst);
    let unions = format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(300));
    assert_eq!(code(&unions), ErrorCode::TooBigAst);
    let list = format!("SELECT 1 IN (1{})", ",1".repeat(12_000));
    assert_eq!(code(&list), ErrorCode::TooBigAst);
    let tokens = format!("SELECT 1{}", ",1".repeat(15_000));
    assert_eq!(code(&tokens), ErrorCode::TooBigAst);
    let long = format!("SELECT '{}'", "x".repeat(300_000));
    assert_eq!(code(&long), ErrorCode::SyntaxError);
    let types = format!(
        "SELECT CAST(1 AS {}x{})",
        "Array(".repeat(100),
        ")".repeat(100)
    );
    assert_eq!(code(&types), ErrorCode::TooDeepAst);
}

#[test]
fn honest_long_conditions_stay_flat() {
    let text = format!("a = 1{}", " OR a = 1".repeat(3_000));
    let expr = parse_expression(&text).expect("parses");
    let ExprKind::Call(call) = expr.kind else {
        panic!("is not a call");
    };
    assert_eq!(call.arguments.len(), 3_001);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn arbitrary_text_never_panics(text in "\\PC{0,60}") {
        drop(parse(&text, &[]));
    }

    #[test]
    fn arbitrary_tokens_never_panic(
        words in prop::collection::vec(
            prop::sample::select(vec![
                "SELECT", "FROM", "WHERE", "(", ")", "[", "]", "{", "}", ",", ".", "::", "->", "?",
                ":", "a", "`b`", "1", "'x'", "-", "NOT", "AND", "BETWEEN", "IN", "CASE", "WHEN",
                "THEN", "END", "INTERVAL", "DAY", "CAST", "AS", "UNION", "ALL", "LIMIT", "BY",
                "ORDER", "GROUP", "WITH", "*", "EXCEPT", "OVER", "EXTRACT", "trim", "x'41'", "$$",
                "JOIN", "ON", "USING", "FORMAT", "SETTINGS", "=", ";", "SHOW", "DESC", "é", "0x",
            ]),
            0..40,
        ),
        blank in prop::sample::select(vec![" ", ""]),
    ) {
        drop(parse(&words.join(blank), &[]));
        drop(parse(&format!("SELECT {}", words.join(blank)), &[]));
    }
}
