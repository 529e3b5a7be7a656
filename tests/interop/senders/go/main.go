// Sends one trace, some log records and metrics with the OpenTelemetry SDK for Go, as an application would.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploggrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/metric"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

type exporters struct {
	spans  sdktrace.SpanExporter
	logs   sdklog.Exporter
	points sdkmetric.Exporter
}

func open(ctx context.Context, protocol, endpoint, token string) (exporters, error) {
	headers := map[string]string{"authorization": "Bearer " + token}
	var all exporters
	var problems [3]error
	if protocol == "grpc" {
		address := strings.TrimPrefix(endpoint, "http://")
		all.spans, problems[0] = otlptracegrpc.New(ctx, otlptracegrpc.WithEndpoint(address),
			otlptracegrpc.WithInsecure(), otlptracegrpc.WithHeaders(headers), otlptracegrpc.WithCompressor("gzip"))
		all.logs, problems[1] = otlploggrpc.New(ctx, otlploggrpc.WithEndpoint(address),
			otlploggrpc.WithInsecure(), otlploggrpc.WithHeaders(headers))
		all.points, problems[2] = otlpmetricgrpc.New(ctx, otlpmetricgrpc.WithEndpoint(address),
			otlpmetricgrpc.WithInsecure(), otlpmetricgrpc.WithHeaders(headers))
	} else {
		all.spans, problems[0] = otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(endpoint+"/v1/traces"),
			otlptracehttp.WithHeaders(headers), otlptracehttp.WithCompression(otlptracehttp.GzipCompression))
		all.logs, problems[1] = otlploghttp.New(ctx, otlploghttp.WithEndpointURL(endpoint+"/v1/logs"),
			otlploghttp.WithHeaders(headers))
		all.points, problems[2] = otlpmetrichttp.New(ctx, otlpmetrichttp.WithEndpointURL(endpoint+"/v1/metrics"),
			otlpmetrichttp.WithHeaders(headers))
	}
	return all, errors.Join(problems[:]...)
}

func sendSpans(ctx context.Context, tracer trace.Tracer) context.Context {
	ctx, parent := tracer.Start(ctx, "GET /orders/{id}", trace.WithSpanKind(trace.SpanKindServer),
		trace.WithAttributes(attribute.String("http.request.method", "GET"),
			attribute.Int("http.response.status_code", 200), attribute.StringSlice("tags", []string{"a", "b"})))
	parent.AddEvent("queue.wait", trace.WithAttributes(attribute.Int("queue.depth", 3)))
	_, child := tracer.Start(ctx, "SELECT orders", trace.WithSpanKind(trace.SpanKindClient))
	child.SetStatus(codes.Error, "connection reset")
	child.End()
	parent.End()
	return ctx
}

func sendLogs(ctx context.Context, logger log.Logger, count int, pause time.Duration) {
	for number := range count {
		var record log.Record
		record.SetTimestamp(time.Now())
		record.SetSeverity(log.SeverityError)
		record.SetSeverityText("ERROR")
		record.SetBody(attribute.StringValue(fmt.Sprintf("order %d failed", number)))
		record.AddAttributes(attribute.Int("order.id", number), attribute.Bool("retryable", false))
		logger.Emit(ctx, record)
		time.Sleep(pause)
	}
}

func sendPoints(ctx context.Context, meter metric.Meter) error {
	placed, first := meter.Int64Counter("orders.placed", metric.WithUnit("{order}"))
	took, second := meter.Float64Histogram("orders.duration", metric.WithUnit("ms"),
		metric.WithExplicitBucketBoundaries(10, 100))
	fill, third := meter.Float64Gauge("queue.fill")
	if problem := errors.Join(first, second, third); problem != nil {
		return problem
	}
	placed.Add(ctx, 3, metric.WithAttributes(attribute.String("shop.region", "eu")))
	for _, milliseconds := range []float64{5, 50, 500} {
		took.Record(ctx, milliseconds)
	}
	fill.Record(ctx, 0.75)
	return nil
}

func run() error {
	protocol, endpoint, service, token := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	count, problem := strconv.Atoi(os.Args[5])
	if problem != nil {
		return problem
	}
	pause, problem := time.ParseDuration(os.Args[6])
	if problem != nil {
		return problem
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	all, problem := open(ctx, protocol, endpoint, token)
	if problem != nil {
		return problem
	}
	origin := resource.NewSchemaless(attribute.String("service.name", service), attribute.String("host.name", "test-host"))
	tracers := sdktrace.NewTracerProvider(sdktrace.WithBatcher(all.spans), sdktrace.WithResource(origin))
	loggers := sdklog.NewLoggerProvider(sdklog.WithResource(origin),
		sdklog.WithProcessor(sdklog.NewBatchProcessor(all.logs, sdklog.WithMaxQueueSize(100_000),
			sdklog.WithExportInterval(200*time.Millisecond))))
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithResource(origin),
		sdkmetric.WithReader(sdkmetric.NewPeriodicReader(all.points, sdkmetric.WithInterval(time.Hour))))
	inSpan := sendSpans(ctx, tracers.Tracer("shop.orders", trace.WithInstrumentationVersion("0.9.1")))
	sendLogs(inSpan, loggers.Logger("shop.orders", log.WithInstrumentationVersion("0.9.1")), count, pause)
	points := sendPoints(ctx, meters.Meter("shop.orders", metric.WithInstrumentationVersion("0.9.1")))
	return errors.Join(points, tracers.Shutdown(ctx), loggers.Shutdown(ctx), meters.Shutdown(ctx))
}

func version() string {
	build, _ := debug.ReadBuildInfo()
	for _, module := range build.Deps {
		if module.Path == "go.opentelemetry.io/otel/sdk" {
			return module.Version
		}
	}
	return "unknown"
}

func main() {
	if problem := run(); problem != nil {
		fmt.Fprintln(os.Stderr, problem)
		os.Exit(1)
	}
	fmt.Printf("opentelemetry-go %s over %s: ok\n", version(), os.Args[1])
}
