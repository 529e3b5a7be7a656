//! INSERT on the real server: acknowledged rows survive `kill -9`, whichever way they came.

use crate::server::{Cairn, folder};

#[test]
fn inserted_rows_survive_kill_9() {
    let dir = folder();
    let cairn = Cairn::start(dir.path(), &[]);
    let insert = "INSERT INTO otel_logs (Timestamp, ServiceName, Body, LogAttributes) VALUES \
        (now64(9), 'sql', 'one', {'k':'v'}), (now64(9), 'sql', 'two', map())";
    let response = cairn.query(insert);
    assert_eq!((response.status, response.text().as_str()), (200, ""));
    let json = "INSERT INTO otel_traces FORMAT JSONEachRow\n\
        {\"Timestamp\":1700000000,\"SpanName\":\"s\",\"Duration\":7,\
        \"Events.Name\":[\"e\"],\"Events.Timestamp\":[1700000001],\"Events.Attributes\":[{\"a\":\"b\"}]}";
    assert_eq!(cairn.query(json).text(), "");
    cairn.kill();
    let cairn = Cairn::start(dir.path(), &[]);
    let logs = "SELECT Body, LogAttributes FROM otel_logs WHERE ServiceName = 'sql' ORDER BY Body";
    assert_eq!(cairn.query(logs).text(), "one\t{'k':'v'}\ntwo\t{}\n");
    let spans = "SELECT SpanName, Duration, `Events.Name`, `Events.Attributes` FROM otel_traces";
    assert_eq!(cairn.query(spans).text(), "s\t7\t['e']\t[{'a':'b'}]\n");
    cairn.stop();
}
