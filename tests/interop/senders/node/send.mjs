// Sends one trace, some log records and metrics with the OpenTelemetry SDK for Node.js, as an application would: traces
// over gRPC, logs as protobuf and metrics as JSON over HTTP.
import { readFileSync } from "node:fs";
import { context, metrics, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { logs, SeverityNumber } from "@opentelemetry/api-logs";
import { OTLPLogExporter } from "@opentelemetry/exporter-logs-otlp-proto";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-http";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import * as sdk from "@opentelemetry/sdk-node";

const [http, grpc, service, token, count] = process.argv.slice(2);
const headers = { authorization: `Bearer ${token}` };
const metadata = new (await import("@grpc/grpc-js")).Metadata();
metadata.set("authorization", `Bearer ${token}`);

const node = new sdk.NodeSDK({
  resource: sdk.resources.resourceFromAttributes({ "service.name": service, "host.name": "test-host" }),
  autoDetectResources: false,
  traceExporter: new OTLPTraceExporter({ url: grpc, metadata, compression: "gzip" }),
  logRecordProcessors: [
    new sdk.logs.BatchLogRecordProcessor({
      exporter: new OTLPLogExporter({ url: `${http}/v1/logs`, headers, compression: "gzip" }),
    }),
  ],
  metricReaders: [
    new sdk.metrics.PeriodicExportingMetricReader({
      exporter: new OTLPMetricExporter({ url: `${http}/v1/metrics`, headers }),
      exportIntervalMillis: 3_600_000,
    }),
  ],
});
node.start();

const tracer = trace.getTracer("shop.orders", "0.9.1");
const parent = tracer.startSpan("GET /orders/{id}", {
  kind: SpanKind.SERVER,
  attributes: { "http.request.method": "GET", "http.response.status_code": 200, tags: ["a", "b"] },
});
const inSpan = trace.setSpan(context.active(), parent);
parent.addEvent("queue.wait", { "queue.depth": 3 });
const child = tracer.startSpan("SELECT orders", { kind: SpanKind.CLIENT }, inSpan);
child.setStatus({ code: SpanStatusCode.ERROR, message: "connection reset" });
child.end();
parent.end();

const logger = logs.getLogger("shop.orders", "0.9.1");
for (let number = 0; number < Number(count); number += 1) {
  logger.emit({
    context: inSpan,
    severityNumber: SeverityNumber.ERROR,
    severityText: "ERROR",
    body: `order ${number} failed`,
    attributes: { "order.id": number, retryable: false },
  });
}

const meter = metrics.getMeter("shop.orders", "0.9.1");
meter.createCounter("orders.placed", { unit: "{order}" }).add(3, { "shop.region": "eu" });
const took = meter.createHistogram("orders.duration", { unit: "ms", advice: { explicitBucketBoundaries: [10, 100] } });
for (const milliseconds of [5, 50, 500]) took.record(milliseconds);
meter.createGauge("queue.fill").record(0.75);

await node.shutdown();
const lock = JSON.parse(readFileSync(new URL("package.json", import.meta.url)));
console.log(`@opentelemetry/sdk-node ${lock.dependencies["@opentelemetry/sdk-node"]} over grpc and http: ok`);
