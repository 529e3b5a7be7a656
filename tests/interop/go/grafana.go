package main

import (
	"database/sql"
	"fmt"
	"strings"
)

// A query of Grafana's ClickHouse data source, and how many rows the data of this test give.
type question struct {
	what string
	text string
	rows int
}

// grafana asks what the data source asks: health check, discovery, editors, panels, links between them.
func grafana(db *sql.DB) {
	from, to := baseSeconds()-60, baseSeconds()+60
	inRange := fmt.Sprintf("timestamp >= toDateTime(%d) AND timestamp <= toDateTime(%d)", from, to)
	bucketRange := fmt.Sprintf("time >= toDateTime(%d) AND time <= toDateTime(%d)", from, to)
	nanos := fmt.Sprintf("fromUnixTimestamp64Nano(%d123456789)", baseSeconds())
	trace := "0af7651916cd43dd8448eb211c80319c"
	for _, q := range []question{
		{"health", "SELECT 1", 1},
		{"gate of ad hoc filters", "SELECT version()", 1},
		{"databases", "SHOW DATABASES", 4},
		{"tables", "SHOW TABLES FROM \"default\"", -1},
		{"columns", "DESC TABLE \"default\".\"otel_logs\"", -1},
		{"columns of a table", "SELECT name, type, table FROM system.columns WHERE database IN ('default') AND table = 'otel_logs'", -1},
		{"all tables", "SELECT database, name FROM system.tables ORDER BY database, name", -1},
		{"columns for completion", "SELECT database, table, name, type FROM system.columns WHERE (database, table) IN (('default', 'otel_logs')) OR (database = currentDatabase() AND table IN ('otel_traces')) ORDER BY database, table, position", -1},
		{"current database", "SELECT currentDatabase()", 1},
		{"functions", "SELECT name, is_aggregate, case_insensitive, alias_to, origin, description, syntax, arguments, returned_value, examples, categories FROM system.functions LIMIT 10000", -1},
		{"keys of a map", "SELECT DISTINCT arrayJoin(mapKeys(\"LogAttributes\")) as keys FROM \"default\".\"otel_logs\" LIMIT 1000", 4},
		{"keys of a sample", "SELECT DISTINCT arrayJoin(mapKeys(m)) as keys FROM (SELECT \"LogAttributes\" as m FROM \"default\".\"otel_logs\" LIMIT 100000) LIMIT 1000", 4},
		{"keys as a subcolumn", "SELECT DISTINCT arrayJoin(LogAttributes.keys) as keys FROM otel_logs LIMIT 1000", 4},
		{"values", "SELECT DISTINCT \"ServiceName\" AS value FROM \"default\".\"otel_logs\" WHERE \"ServiceName\" IS NOT NULL ORDER BY value LIMIT 1000", 2},
		{"values of a key", "SELECT DISTINCT \"LogAttributes\"['order.id'] FROM otel_logs WHERE mapContains(\"LogAttributes\", 'order.id') LIMIT 1000", 1},
		{"ad hoc filter", "SELECT count() FROM default.otel_logs settings additional_table_filters={'default.otel_logs' : ' ServiceName = \\'checkout\\' AND LogAttributes[\\'order.id\\'] = \\'4711\\' '}", 1},
		{"logs", "SELECT Timestamp as \"timestamp\", Body as \"body\", SeverityText as \"level\", LogAttributes as \"labels\", TraceId as \"traceID\" FROM \"default\".\"otel_logs\" WHERE ( " + inRange + " ) AND ( level = 'error' ) AND (body LIKE '%declined%') ORDER BY timestamp DESC LIMIT 1000", 1},
		{"logs without filter", "SELECT Timestamp as \"timestamp\", Body as \"body\" FROM \"default\".\"otel_logs\" WHERE ( " + inRange + " ) ORDER BY timestamp DESC LIMIT 1000", 3},
		{"older logs", "SELECT Timestamp as \"timestamp\", Body as \"body\" FROM \"default\".\"otel_logs\" WHERE ( " + inRange + " ) ORDER BY (TimestampTime, timestamp) DESC LIMIT 1000", 3},
		{"logs volume", "SELECT toStartOfInterval(\"Timestamp\", INTERVAL 1 MINUTE) as \"time\", sum(multiSearchAny(toString(\"SeverityText\"), ['error', 'ERROR'])) as error, sum(multiSearchAny(toString(\"SeverityText\"), ['info', 'INFO'])) as info FROM \"default\".\"otel_logs\" WHERE ( " + bucketRange + " ) GROUP BY time ORDER BY time ASC", -1},
		{"older logs volume", "SELECT toStartOfInterval(\"Timestamp\", INTERVAL 1 MINUTE) as \"time\", sum(toString(SeverityText) IN ('error', 'err')) as error FROM otel_logs GROUP BY time ORDER BY time ASC", 1},
		{"log context after", "SELECT Timestamp as \"timestamp\", Body as \"body\" FROM otel_logs WHERE ( timestamp >= " + nanos + " ) AND ( ResourceAttributes['service.name'] = 'checkout' ) ORDER BY timestamp ASC LIMIT 10", 2},
		{"log context before", "SELECT Timestamp as \"timestamp\", Body as \"body\" FROM otel_logs WHERE ( timestamp <= " + nanos + " ) ORDER BY timestamp DESC LIMIT 10", 1},
		{"trace search", "SELECT \"TraceId\" as traceID, \"ServiceName\" as serviceName, \"SpanName\" as operationName, \"Timestamp\" as startTime, multiply(\"Duration\", 0.000001) as duration FROM \"default\".\"otel_traces\" WHERE ( ParentSpanId = '' ) AND ( Duration > 0 ) ORDER BY Timestamp DESC, Duration DESC LIMIT 1000", 1},
		{"trace by id", "WITH '" + trace + "' as trace_id, (SELECT min(Start) FROM \"default\".\"otel_traces_trace_id_ts\" WHERE TraceId = trace_id) as trace_start, (SELECT max(End) + 1 FROM \"default\".\"otel_traces_trace_id_ts\" WHERE TraceId = trace_id) as trace_end SELECT \"TraceId\" as traceID, \"SpanId\" as spanID, \"ParentSpanId\" as parentSpanID, \"ServiceName\" as serviceName, \"SpanName\" as operationName, multiply(toUnixTimestamp64Nano(\"Timestamp\"), 0.000001) as startTime, multiply(\"Duration\", 0.000001) as duration, arrayMap(key -> map('key', key, 'value',\"SpanAttributes\"[key]), mapKeys(\"SpanAttributes\")) as tags, if(\"StatusCode\" IN ('Error', 'STATUS_CODE_ERROR'), 2, 0) as statusCode, arrayMap((name, timestamp, attributes) -> tuple(name, toString(toUnixTimestamp64Milli(timestamp)), arrayMap( key -> map('key', key, 'value', attributes[key]), mapKeys(attributes)))::Tuple(name String, timestamp String, fields Array(Map(String, String))), \"Events\".Name, \"Events\".Timestamp, \"Events\".Attributes) AS logs FROM \"default\".\"otel_traces\" WHERE traceID = trace_id AND \"Timestamp\" >= trace_start AND \"Timestamp\" <= trace_end", 2},
		{"time series", fmt.Sprintf("SELECT toStartOfInterval(toDateTime(Timestamp), INTERVAL 300 second) as \"time\", ServiceName, count() as total FROM otel_logs WHERE Timestamp >= toDateTime(%d) GROUP BY time, ServiceName ORDER BY time ASC", from), 2},
		{"time series in milliseconds", fmt.Sprintf("SELECT toStartOfInterval(toDateTime64(Timestamp, 3), INTERVAL 250 millisecond) as t, avg(Duration) FROM otel_traces WHERE Timestamp >= fromUnixTimestamp64Milli(%d000) GROUP BY t ORDER BY t", from), 1},
		{"latency", "SELECT quantile(0.5)(Duration), quantile(0.9)(Duration), quantile(0.99)(Duration) FROM otel_traces", 1},
		{"errors per service", "SELECT ServiceName, countIf(StatusCode = 'Error') AS errors, count() / 60 AS rate FROM otel_traces GROUP BY ServiceName HAVING errors > 0 ORDER BY count()", 1},
		{"parents", "SELECT a.SpanName, b.SpanName FROM otel_traces AS a INNER JOIN otel_traces AS b ON b.ParentSpanId = a.SpanId AND b.TraceId = a.TraceId", 1},
		{"bare keywords as columns", "SELECT SpanName AS \"alias\", TraceId AS \"select\", SpanKind AS \"type\" FROM otel_traces", 2},
	} {
		count, err := countRows(db, q.text)
		if err != nil {
			fail("Grafana, %s: %v\n%s", q.what, err, q.text)
		}
		if count != q.rows && !(q.rows < 0 && count > 0) {
			fail("Grafana, %s: %d rows, expected %d\n%s", q.what, count, q.rows, q.text)
		}
	}
	row := db.QueryRow(strings.Join([]string{"SELECT count() FROM otel_logs", "settings additional_table_filters={'otel_logs' : ' SeverityNumber = \\'17\\' '}"}, " "))
	var filtered uint64
	must("filtered", row.Scan(&filtered))
	same("filtered by an ad hoc filter", filtered, uint64(1))
}

func countRows(db *sql.DB, text string) (int, error) {
	rows, err := db.Query(text)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	count := 0
	for rows.Next() {
		count++
	}
	return count, rows.Err()
}
