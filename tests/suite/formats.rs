//! Output formats and the ways to ask, over the wire. What each type looks like in each format is
//! tested beside the formats; this is about the whole way through.

use std::io::Read;

use crate::http;
use crate::server::{Cairn, folder};

const SQL: &str = "SELECT 1 AS a, 'x\\ty' AS b, NULL AS c, [1, 2] AS d, map('k', 'v') AS e";

#[test]
fn a_query_comes_back_in_the_asked_format() {
    let dir = folder();
    let cairn = Cairn::start(dir.path(), &[]);
    let types = "UInt8\tString\tNullable(Nothing)\tArray(UInt8)\tMap(String, String)\n";
    let cases = [
        (
            "TabSeparated",
            "1\tx\\ty\t\\N\t[1,2]\t{'k':'v'}\n".to_owned(),
        ),
        (
            "TabSeparatedWithNames",
            "a\tb\tc\td\te\n1\tx\\ty\t\\N\t[1,2]\t{'k':'v'}\n".to_owned(),
        ),
        (
            "TabSeparatedWithNamesAndTypes",
            format!("a\tb\tc\td\te\n{types}1\tx\\ty\t\\N\t[1,2]\t{{'k':'v'}}\n"),
        ),
        ("CSV", "1,\"x\ty\",\\N,\"[1,2]\",\"{'k':'v'}\"\n".to_owned()),
        (
            "CSVWithNames",
            "\"a\",\"b\",\"c\",\"d\",\"e\"\n1,\"x\ty\",\\N,\"[1,2]\",\"{'k':'v'}\"\n".to_owned(),
        ),
        (
            "JSONEachRow",
            "{\"a\":1,\"b\":\"x\\ty\",\"c\":null,\"d\":[1,2],\"e\":{\"k\":\"v\"}}\n".to_owned(),
        ),
    ];
    for (format, expected) in cases {
        let by_clause = cairn.query(&format!("{SQL} FORMAT {format}"));
        assert_eq!(by_clause.text(), expected, "{format}");
        assert_eq!(by_clause.header("x-clickhouse-format"), Some(format));
        let by_parameter = format!("/?default_format={format}");
        let response = http::post(cairn.clickhouse, &by_parameter, &[], SQL.as_bytes());
        assert_eq!(response.text(), expected, "{format} as default");
    }
    for format in ["JSON", "JSONCompact"] {
        let text = cairn.query(&format!("{SQL} FORMAT {format}")).text();
        let parsed: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(parsed["rows"], 1, "{text}");
        assert_eq!(parsed["meta"][4]["type"], "Map(String, String)", "{text}");
    }
}

#[test]
fn queries_come_by_get_by_post_and_split_over_both() {
    let dir = folder();
    let cairn = Cairn::start(dir.path(), &[]);
    assert_eq!(
        http::get(cairn.clickhouse, "/?query=SELECT%201%2B1").text(),
        "2\n"
    );
    assert_eq!(
        http::get(cairn.clickhouse, "/?query=SELECT+1").text(),
        "1\n"
    );
    let split = http::post(cairn.clickhouse, "/?query=SELECT", &[], b"40+2");
    assert_eq!(split.text(), "42\n");
    let parameter = "/?param_n=7&query=SELECT%20%7Bn%3AUInt32%7D%20%2A%206";
    assert_eq!(http::get(cairn.clickhouse, parameter).text(), "42\n");
    let id = http::get(cairn.clickhouse, "/?query_id=mine&query=SELECT%201");
    assert_eq!(id.header("x-clickhouse-query-id"), Some("mine"));
}

#[test]
fn a_large_result_streams_and_compresses() {
    let dir = folder();
    let cairn = Cairn::start(dir.path(), &[]);
    let sql = "SELECT number, toString(number) FROM numbers(300000) ORDER BY number";
    let plain = cairn.query(sql);
    assert!(plain.complete);
    assert_eq!(plain.text().lines().count(), 300_000);
    assert!(plain.text().ends_with("\n299999\t299999\n"));
    let headers = [("Accept-Encoding", "gzip")];
    let path = "/?enable_http_compression=1";
    let packed = http::post(cairn.clickhouse, path, &headers, sql.as_bytes());
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    assert!(packed.body.len() < plain.body.len() / 2);
    let mut text = String::new();
    let mut decoder = flate2::read::MultiGzDecoder::new(packed.body.as_slice());
    decoder.read_to_string(&mut text).expect("gzip");
    assert_eq!(text, plain.text());
}
