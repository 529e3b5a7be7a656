// clickhouse-go over HTTP against a running server: its own interface and database/sql, each compression, typed
// reads, parameters, errors, cancellation, and the queries that Grafana's data source sends through it. Ends with an
// error at the first difference.
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

func fail(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(1)
}

func must(what string, err error) {
	if err != nil {
		fail("%s: %v", what, err)
	}
}

func same(what string, found, expected any) {
	if !reflect.DeepEqual(found, expected) {
		fail("%s\n  found    %#v\n  expected %#v", what, found, expected)
	}
}

func options(compression clickhouse.CompressionMethod) *clickhouse.Options {
	return &clickhouse.Options{
		Protocol:    clickhouse.HTTP,
		Addr:        []string{os.Getenv("CAIRN_HOST") + ":" + os.Getenv("CAIRN_PORT")},
		Auth:        clickhouse.Auth{Database: "default", Username: "default"},
		Compression: &clickhouse.Compression{Method: compression},
		Settings:    clickhouse.Settings{"max_execution_time": 60},
		DialTimeout: 10 * time.Second,
	}
}

func baseSeconds() int64 {
	seconds, err := strconv.ParseInt(os.Getenv("CAIRN_BASE_S"), 10, 64)
	must("CAIRN_BASE_S", err)
	return seconds
}

func readsLogs(conn driver.Conn) {
	ctx := context.Background()
	rows, err := conn.Query(ctx, "SELECT Timestamp, TraceId, SeverityText, SeverityNumber, ServiceName, Body, "+
		"LogAttributes, ResourceAttributes FROM otel_logs ORDER BY Timestamp")
	must("logs", err)
	var services, bodies []string
	var attributes []map[string]string
	var first time.Time
	for rows.Next() {
		var at time.Time
		var trace, severity, service, body string
		var number uint8
		var ofRecord, ofResource map[string]string
		must("a log", rows.Scan(&at, &trace, &severity, &number, &service, &body, &ofRecord, &ofResource))
		if len(services) == 0 {
			first = at
			same("trace id", trace, "0af7651916cd43dd8448eb211c80319c")
			same("severity", severity, "error")
			same("number", number, uint8(17))
			same("resource", ofResource["host.name"], "node-1")
		}
		services = append(services, service)
		bodies = append(bodies, body)
		attributes = append(attributes, ofRecord)
	}
	must("logs", rows.Err())
	same("services", services, []string{"checkout", "checkout", "cart"})
	same("body", bodies[0], "charging failed: it's \"declined\" \\ déjà vu 世界\tend")
	same("attributes", attributes[0],
		map[string]string{"order.id": "4711", "reason": "card's limit", "text": "grüße, 世界"})
	same("no attributes", len(attributes[1]), 0)
	same("time", first.UnixNano(), baseSeconds()*1e9+123456789)
}

func readsTraces(conn driver.Conn) {
	row := conn.QueryRow(context.Background(), "SELECT Duration, Events.Timestamp, Events.Name, Events.Attributes, "+
		"Links.TraceId FROM otel_traces WHERE SpanKind = 'Server'")
	var duration uint64
	var times []time.Time
	var names, links []string
	var attributes []map[string]string
	must("a span", row.Scan(&duration, &times, &names, &attributes, &links))
	same("duration", duration, uint64(500_000_000))
	same("events", names, []string{"queue.wait", "retry"})
	same("event times", times[1].UnixNano(), baseSeconds()*1e9+200000002)
	same("event attributes", attributes, []map[string]string{{"depth": "3"}, {}})
	same("links", links, []string{"4bf92f3577b34da6a3ce929d0e0e4736"})
}

func readsTypes(conn driver.Conn) {
	row := conn.QueryRow(context.Background(), "SELECT toUInt64(18446744073709551615), "+
		"CAST(NULL AS Nullable(String)), toNullable(toUInt8(5)), CAST('a' AS LowCardinality(String)), "+
		"toDate('2026-08-20'), true, 1.5, toUUID('61f0c404-5cb3-11e7-907b-a6006ad3dba0'), map('k', toUInt8(1)), "+
		"toDateTime64('2026-08-20 01:02:03.5', 3)")
	var largest uint64
	var null *string
	var some *uint8
	var label, id string
	var day, instant time.Time
	var flag bool
	var float float64
	var pairs map[string]uint8
	must("types", row.Scan(&largest, &null, &some, &label, &day, &flag, &float, &id, &pairs, &instant))
	same("largest", largest, uint64(18446744073709551615))
	same("null", null == nil && *some == 5, true)
	same("others", []any{label, flag, float, id, pairs["k"]},
		[]any{"a", true, 1.5, "61f0c404-5cb3-11e7-907b-a6006ad3dba0", uint8(1)})
	same("day", day.Format(time.DateOnly), "2026-08-20")
	same("instant", instant.UTC().Format(time.RFC3339Nano), "2026-08-20T01:02:03.5Z")
}

func takesParameters(conn driver.Conn) {
	ctx := clickhouse.Context(context.Background(), clickhouse.WithParameters(clickhouse.Parameters{
		"s": "it's", "n": "7", "a": "['x','y']",
	}))
	var text string
	var number uint64
	var list []string
	row := conn.QueryRow(ctx, "SELECT {s:String}, {n:UInt64}, {a:Array(String)}")
	must("parameters", row.Scan(&text, &number, &list))
	same("parameters", []any{text, number, list}, []any{"it's", uint64(7), []string{"x", "y"}})
	row = conn.QueryRow(context.Background(), "SELECT count() FROM otel_logs WHERE ServiceName = ?", "checkout")
	must("bound", row.Scan(&number))
	same("bound", number, uint64(2))
}

func streams(conn driver.Conn) {
	rows, err := conn.Query(context.Background(), "SELECT number, toString(number) FROM numbers(200000)")
	must("stream", err)
	total := 0
	for rows.Next() {
		total++
	}
	must("stream", rows.Err())
	same("streamed", total, 200_000)
	empty, err := conn.Query(context.Background(), "SELECT ServiceName, Timestamp FROM otel_logs WHERE 0")
	must("empty", err)
	same("empty has rows", empty.Next(), false)
	same("empty has columns", empty.Columns(), []string{"ServiceName", "Timestamp"})
}

func code(err error) int32 {
	var exception *clickhouse.Exception
	if errors.As(err, &exception) {
		return exception.Code
	}
	for _, number := range []int32{46, 47, 60, 62, 395} {
		if err != nil && strings.Contains(err.Error(), fmt.Sprintf("ode: %d", number)) {
			return number
		}
	}
	return 0
}

func fails(conn driver.Conn) {
	for text, number := range map[string]int32{
		"SELEKT 1": 62, "SELECT * FROM nosuch": 60, "SELECT nosuch FROM otel_logs": 47, "SELECT nosuch(1)": 46,
	} {
		_, err := conn.Query(context.Background(), text)
		if code(err) != number {
			fail("%s: %v", text, err)
		}
	}
	rows, err := conn.Query(context.Background(), "SELECT throwIf(number = 250000, 'boom') FROM numbers(300000)")
	for err == nil && rows.Next() {
	}
	if err == nil {
		err = rows.Err()
	}
	if err == nil || !strings.Contains(err.Error(), "boom") {
		fail("in mid-stream: %v", err)
	}
}

func cancels(conn driver.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	began := time.Now()
	rows, err := conn.Query(ctx, "SELECT count() FROM numbers(1000000000000)")
	for err == nil && rows.Next() {
	}
	if err == nil {
		err = rows.Err()
	}
	if err == nil || time.Since(began) > 20*time.Second {
		fail("not cancelled: %v after %v", err, time.Since(began))
	}
}

func inserts() {
	ctx := context.Background()
	conn, err := clickhouse.Open(options(clickhouse.CompressionLZ4))
	must("open", err)
	defer conn.Close()
	batch, err := conn.PrepareBatch(ctx, "INSERT INTO otel_logs (Timestamp, ServiceName, Body, LogAttributes)")
	must("batch", err)
	at := time.Unix(baseSeconds(), 42)
	must("row", batch.Append(at, "written", "by Go", map[string]string{"a": "b'c"}))
	must("row", batch.Append(at, "written", "二", map[string]string{}))
	must("send", batch.Send())
	var count uint64
	var first time.Time
	row := conn.QueryRow(ctx, "SELECT count(), min(Timestamp) FROM otel_logs WHERE ServiceName = 'written'")
	must("read again", row.Scan(&count, &first))
	same("written", []any{count, first.UnixNano()}, []any{uint64(2), at.UnixNano()})
}

func nativeInterface(name string, method clickhouse.CompressionMethod) {
	conn, err := clickhouse.Open(options(method))
	must(name, err)
	defer conn.Close()
	must(name+": ping", conn.Ping(context.Background()))
	version, err := conn.ServerVersion()
	must(name+": hello", err)
	same("zone of the hello", version.Timezone.String(), "UTC")
	for _, step := range []func(driver.Conn){
		readsLogs, readsTraces, readsTypes, takesParameters, streams, fails, cancels,
	} {
		step(conn)
	}
}

func standardInterface() *sql.DB {
	db := clickhouse.OpenDB(options(clickhouse.CompressionGZIP))
	must("ping", db.PingContext(context.Background()))
	var one uint8
	must("select", db.QueryRow("SELECT 1").Scan(&one))
	types, err := db.Query("SELECT * FROM otel_traces LIMIT 1")
	must("columns", err)
	defer types.Close()
	columns, err := types.ColumnTypes()
	must("columns", err)
	same("first column", columns[0].DatabaseTypeName(), "DateTime64(9)")
	return db
}

func main() {
	info, _ := debug.ReadBuildInfo()
	version := "?"
	for _, dependency := range info.Deps {
		if dependency.Path == "github.com/ClickHouse/clickhouse-go/v2" {
			version = dependency.Version
		}
	}
	for name, method := range map[string]clickhouse.CompressionMethod{
		"none": clickhouse.CompressionNone, "gzip": clickhouse.CompressionGZIP, "lz4": clickhouse.CompressionLZ4,
		"zstd": clickhouse.CompressionZSTD, "deflate": clickhouse.CompressionDeflate, "br": clickhouse.CompressionBrotli,
	} {
		nativeInterface(name, method)
	}
	db := standardInterface()
	defer db.Close()
	fmt.Printf("clickhouse-go %s over HTTP (%s): ok\n", version, runtime.Version())
	grafana(db)
	inserts()
	fmt.Printf("queries of Grafana's data source through clickhouse-go %s: ok\n", version)
}
