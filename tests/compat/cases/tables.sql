SELECT * FROM otel_logs ORDER BY Timestamp LIMIT 5
SELECT count(), min(Timestamp), max(Timestamp), uniqExact(Body) FROM otel_logs
SELECT ServiceName, SeverityText, count() AS n FROM otel_logs GROUP BY ServiceName, SeverityText ORDER BY n DESC, ServiceName, SeverityText
SELECT * FROM otel_traces ORDER BY Timestamp LIMIT 5
