"""clickhouse-connect against a running server, as an application uses it: connect, typed reads, parameters,
data frames, Arrow, streams, errors, compression. Ends with an error at the first difference."""

import datetime
import importlib.metadata
import os
import sys

import clickhouse_connect
from clickhouse_connect.driver.exceptions import ClickHouseError

HOST = os.environ["CAIRN_HOST"]
PORT = int(os.environ["CAIRN_PORT"])
BASE_S = int(os.environ["CAIRN_BASE_S"])

LOGS = "SELECT * FROM otel_logs ORDER BY Timestamp"


def same(what, found, expected):
    if found != expected:
        sys.exit(f"{what}\n  found    {found!r}\n  expected {expected!r}")


def client(**options):
    return clickhouse_connect.get_client(host=HOST, port=PORT, **options)


def failure(what, number, run):
    try:
        run()
    except ClickHouseError as error:
        if f"error code {number}" not in str(error) and f"Code: {number}." not in str(error):
            sys.exit(f"{what}: {error}")
        return
    sys.exit(f"{what}: no error")


def connects():
    cairn = client()
    same("ping", cairn.ping(), True)
    same("version", cairn.server_version.count("."), 3)
    same("zone", str(cairn.server_tz), "UTC")
    if "max_result_rows" not in cairn.server_settings:
        sys.exit("no settings were read")
    same("command", cairn.command("SELECT 40 + 2"), 42)
    same("command without rows", cairn.command("SET max_threads = 1") is not None, True)
    return cairn


def reads_logs(cairn):
    rows = list(cairn.query(LOGS).named_results())
    same("rows", len(rows), 3)
    first = rows[0]
    same("service", [row["ServiceName"] for row in rows], ["checkout", "checkout", "cart"])
    same("severity", [row["SeverityNumber"] for row in rows], [17, 9, 13])
    same("text of severity", rows[0]["SeverityText"], "error")
    same("body", first["Body"], "charging failed: it's \"declined\" \\ déjà vu 世界\tend")
    same("trace", first["TraceId"], "0af7651916cd43dd8448eb211c80319c")
    same("no trace", rows[1]["TraceId"], "")
    same(
        "attributes",
        first["LogAttributes"],
        {"order.id": "4711", "reason": "card's limit", "text": "grüße, 世界"},
    )
    same("no attributes", rows[1]["LogAttributes"], {})
    same("scope", first["ScopeAttributes"], {"team": "payments"})
    seconds = first["Timestamp"].replace(tzinfo=datetime.timezone.utc).timestamp()
    same("time", int(seconds), BASE_S)
    names = cairn.query("DESCRIBE TABLE otel_logs").column_names
    same("describe", len(names), 7)


def reads_traces(cairn):
    rows = list(cairn.query("SELECT * FROM otel_traces ORDER BY Timestamp").named_results())
    same("spans", [row["SpanName"] for row in rows], ["POST /checkout", "charge"])
    same("durations", [row["Duration"] for row in rows], [500_000_000, 0])
    same("events", rows[0]["Events.Name"], ["queue.wait", "retry"])
    same("event attributes", rows[0]["Events.Attributes"], [{"depth": "3"}, {}])
    same("links", rows[0]["Links.Attributes"], [{"link.kind": "follows"}])
    same("no events", rows[1]["Events.Name"], [])
    sql = "SELECT Start, End FROM otel_traces_trace_id_ts WHERE TraceId = {id:String}"
    found = cairn.query(sql, parameters={"id": rows[0]["TraceId"]}).result_rows
    same("trace companion", len(found), 1)


def reads_types(cairn):
    row = cairn.query(
        "SELECT toUInt64(18446744073709551615) AS u, toInt64(-9223372036854775807) AS i, "
        "CAST(NULL AS Nullable(String)) AS n, toNullable(toUInt8(5)) AS v, "
        "CAST('a' AS LowCardinality(String)) AS lc, [1, 2] AS a, map('k', 1) AS m, (1, 'x') AS t, "
        "toDate('2026-08-20') AS d, 1.5 AS f, true AS b, "
        "toUUID('61f0c404-5cb3-11e7-907b-a6006ad3dba0') AS id"
    ).first_row
    same("extremes", row[0:2], (18446744073709551615, -9223372036854775807))
    same("nullable", row[2:4], (None, 5))
    same("label, list, map, tuple", row[4:8], ("a", [1, 2], {"k": 1}, (1, "x")))
    same("rest", (row[8], row[9], row[10]), (datetime.date(2026, 8, 20), 1.5, True))
    same("uuid", str(row[11]), "61f0c404-5cb3-11e7-907b-a6006ad3dba0")
    nanos = cairn.query(
        "SELECT toUnixTimestamp64Nano(Timestamp) FROM otel_logs ORDER BY Timestamp LIMIT 1"
    )
    same("nanoseconds", nanos.first_row[0], BASE_S * 10**9 + 123456789)
    empty = cairn.query("SELECT ServiceName, LogAttributes FROM otel_logs WHERE 0")
    same("columns of nothing", empty.column_names, ("ServiceName", "LogAttributes"))
    same("rows of nothing", empty.result_rows, [])
    same("limit 0", cairn.query("SELECT 1 AS a LIMIT 0").column_names, ("a",))


def takes_parameters(cairn):
    found = cairn.query(
        "SELECT {s:String} AS s, {n:UInt64} AS n, {a:Array(String)} AS a, {d:DateTime} AS d",
        parameters={
            "s": "it's a\ttab\nand \\ back",
            "n": 2**64 - 1,
            "a": ["x", "y'z"],
            "d": datetime.datetime(2026, 8, 20, 1, 2, 3),
        },
    ).first_row
    same("text", found[0], "it's a\ttab\nand \\ back")
    same("number and list", found[1:3], (2**64 - 1, ["x", "y'z"]))
    same("time", found[3], datetime.datetime(2026, 8, 20, 1, 2, 3))
    rows = cairn.query(
        "SELECT count() FROM {t:Identifier} WHERE ServiceName = {s:String}",
        parameters={"t": "otel_logs", "s": "checkout"},
    )
    same("identifier", rows.first_row[0], 2)


def reads_frames(cairn):
    frame = cairn.query_df("SELECT ServiceName, SeverityNumber, Timestamp FROM otel_logs")
    same("frame", frame.shape, (3, 3))
    numbers = cairn.query_np("SELECT number FROM numbers(1000)")
    same("array", int(numbers.sum()), 499_500)


def streams(cairn):
    total = 0
    sql = "SELECT number, toString(number) FROM numbers(300000)"
    with cairn.query_row_block_stream(sql) as stream:
        for block in stream:
            total += len(block)
    same("streamed rows", total, 300_000)
    with cairn.query_row_block_stream(sql) as stream:
        next(iter(stream))
    same("after a stream left early", cairn.command("SELECT 1"), 1)


def fails(cairn):
    failure("syntax", 62, lambda: cairn.query("SELEKT 1"))
    failure("table", 60, lambda: cairn.query("SELECT * FROM nosuch"))
    failure("column", 47, lambda: cairn.query("SELECT nosuch FROM otel_logs"))
    failure("function", 46, lambda: cairn.query("SELECT nosuch(1)"))
    late = "SELECT throwIf(number = 250000, 'boom') FROM numbers(300000)"
    failure("in mid-stream", 395, lambda: cairn.query(late))

    def stream():
        with cairn.query_row_block_stream(late) as blocks:
            for _ in blocks:
                pass

    failure("in a stream", 395, stream)
    slow = "SELECT count() FROM numbers(1000000000000)"
    failure("too slow", 159, lambda: cairn.query(slow, settings={"max_execution_time": 1}))


def compresses():
    for method in ["lz4", "zstd", "gzip", "deflate", True, False]:
        cairn = client(compress=method)
        rows = cairn.query("SELECT number, repeat('x', 100) FROM numbers(20000)").result_rows
        same(f"compression {method}", len(rows), 20_000)
        cairn.close()


def inserts(cairn):
    at = datetime.datetime.fromtimestamp(BASE_S, datetime.timezone.utc)
    rows = [[at, "written", "by Python", {"a": "b'c"}], [at, "written", "二", {}]]
    names = ["Timestamp", "ServiceName", "Body", "LogAttributes"]
    same("written", cairn.insert("otel_logs", rows, column_names=names).written_rows, 2)
    sql = "SELECT Body, LogAttributes FROM otel_logs WHERE ServiceName = 'written' ORDER BY Body"
    same("read again", cairn.query(sql).result_rows, [("by Python", {"a": "b'c"}), ("二", {})])


def main():
    steps = set(sys.argv[1:])
    cairn = connects()
    for step in [reads_logs, reads_traces, reads_types, takes_parameters, reads_frames, streams, fails]:
        if not steps or step.__name__ in steps:
            step(cairn)
    if not steps or "compresses" in steps:
        compresses()
    if not steps or "inserts" in steps:
        inserts(cairn)
    version = importlib.metadata.version("clickhouse-connect")
    print(f"clickhouse-connect {version} (Python {sys.version.split()[0]}): ok")


if __name__ == "__main__":
    main()
