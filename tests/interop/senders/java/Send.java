import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.logs.Severity;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import io.opentelemetry.exporter.otlp.http.logs.OtlpHttpLogRecordExporter;
import io.opentelemetry.exporter.otlp.http.metrics.OtlpHttpMetricExporter;
import io.opentelemetry.exporter.otlp.trace.OtlpGrpcSpanExporter;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.logs.SdkLoggerProvider;
import io.opentelemetry.sdk.logs.export.BatchLogRecordProcessor;
import io.opentelemetry.sdk.metrics.SdkMeterProvider;
import io.opentelemetry.sdk.metrics.export.PeriodicMetricReader;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Sends one trace over gRPC, and log records and metrics over HTTP, with the OpenTelemetry SDK, as an application would. */
public final class Send {
  public static void main(String[] arguments) {
    String http = arguments[0];
    String grpc = arguments[1];
    String token = "Bearer " + arguments[3];
    Resource resource =
        Resource.create(
            Attributes.builder().put("service.name", arguments[2]).put("host.name", "test-host").build());
    SdkTracerProvider tracers =
        SdkTracerProvider.builder()
            .setResource(resource)
            .addSpanProcessor(
                BatchSpanProcessor.builder(
                        OtlpGrpcSpanExporter.builder()
                            .setEndpoint(grpc)
                            .addHeader("authorization", token)
                            .setCompression("gzip")
                            .build())
                    .build())
            .build();
    SdkLoggerProvider loggers =
        SdkLoggerProvider.builder()
            .setResource(resource)
            .addLogRecordProcessor(
                BatchLogRecordProcessor.builder(
                        OtlpHttpLogRecordExporter.builder()
                            .setEndpoint(http + "/v1/logs")
                            .addHeader("authorization", token)
                            .setCompression("gzip")
                            .build())
                    .build())
            .build();
    SdkMeterProvider meters =
        SdkMeterProvider.builder()
            .setResource(resource)
            .registerMetricReader(
                PeriodicMetricReader.builder(
                        OtlpHttpMetricExporter.builder()
                            .setEndpoint(http + "/v1/metrics")
                            .addHeader("authorization", token)
                            .build())
                    .setInterval(Duration.ofHours(1))
                    .build())
            .build();
    OpenTelemetrySdk sdk =
        OpenTelemetrySdk.builder()
            .setTracerProvider(tracers)
            .setLoggerProvider(loggers)
            .setMeterProvider(meters)
            .build();
    send(sdk, Integer.parseInt(arguments[4]));
    boolean taken =
        tracers.shutdown().join(30, TimeUnit.SECONDS).isSuccess()
            && loggers.shutdown().join(30, TimeUnit.SECONDS).isSuccess()
            && meters.shutdown().join(30, TimeUnit.SECONDS).isSuccess();
    if (!taken) {
      System.err.println("not everything was taken");
      System.exit(1);
    }
    System.out.println("opentelemetry-java " + arguments[5] + " over grpc and http: ok");
  }

  private static void send(OpenTelemetry sdk, int count) {
    var tracer = sdk.getTracerProvider().tracerBuilder("shop.orders").setInstrumentationVersion("0.9.1").build();
    var parent =
        tracer
            .spanBuilder("GET /orders/{id}")
            .setSpanKind(SpanKind.SERVER)
            .setAttribute("http.request.method", "GET")
            .setAttribute("http.response.status_code", 200)
            .setAttribute(AttributeKey.stringArrayKey("tags"), List.of("a", "b"))
            .startSpan();
    try (Scope current = parent.makeCurrent()) {
      parent.addEvent("queue.wait", Attributes.of(AttributeKey.longKey("queue.depth"), 3L));
      var child = tracer.spanBuilder("SELECT orders").setSpanKind(SpanKind.CLIENT).startSpan();
      child.setStatus(StatusCode.ERROR, "connection reset");
      child.end();
      var logger = sdk.getLogsBridge().loggerBuilder("shop.orders").setInstrumentationVersion("0.9.1").build();
      for (int number = 0; number < count; number++) {
        logger
            .logRecordBuilder()
            .setContext(Context.current())
            .setTimestamp(System.currentTimeMillis(), TimeUnit.MILLISECONDS)
            .setSeverity(Severity.ERROR)
            .setSeverityText("ERROR")
            .setBody("order " + number + " failed")
            .setAttribute(AttributeKey.longKey("order.id"), (long) number)
            .setAttribute(AttributeKey.booleanKey("retryable"), false)
            .emit();
      }
    }
    parent.end();
    var meter = sdk.getMeterProvider().meterBuilder("shop.orders").setInstrumentationVersion("0.9.1").build();
    meter
        .counterBuilder("orders.placed")
        .setUnit("{order}")
        .build()
        .add(3, Attributes.of(AttributeKey.stringKey("shop.region"), "eu"));
    var took =
        meter
            .histogramBuilder("orders.duration")
            .setUnit("ms")
            .setExplicitBucketBoundariesAdvice(List.of(10.0, 100.0))
            .build();
    for (double milliseconds : new double[] {5, 50, 500}) {
      took.record(milliseconds);
    }
    meter.gaugeBuilder("queue.fill").build().set(0.75);
  }

  private Send() {}
}
