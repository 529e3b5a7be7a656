"""What people ask of their logs and traces. `{trace}` and `{now}` are filled in from the loaded data."""

QUESTIONS = [
    ("rows", "SELECT count() FROM otel_logs"),
    (
        "histogram, 5 minutes by severity, 12 hours",
        "SELECT toStartOfInterval(Timestamp, INTERVAL 5 MINUTE) AS t, SeverityText, count() AS n FROM otel_logs"
        " WHERE Timestamp >= {now} - INTERVAL 12 HOUR GROUP BY t, SeverityText ORDER BY t, SeverityText",
    ),
    ("newest 200, all columns", "SELECT * FROM otel_logs ORDER BY Timestamp DESC LIMIT 200"),
    (
        "newest 200 errors of a service",
        "SELECT * FROM otel_logs WHERE ServiceName = 'frontend' AND SeverityText = 'error'"
        " ORDER BY Timestamp DESC LIMIT 200",
    ),
    (
        "rare substring, newest 50",
        "SELECT Timestamp, Body FROM otel_logs WHERE Body LIKE '%{needle}%' ORDER BY Timestamp DESC LIMIT 50",
    ),
    ("token count", "SELECT count() FROM otel_logs WHERE hasToken(Body, 'finished')"),
    (
        "ILIKE word, by service",
        "SELECT ServiceName, count() AS n FROM otel_logs WHERE Body ILIKE '%FINISHED%'"
        " GROUP BY ServiceName ORDER BY ServiceName",
    ),
    ("regular expression, count", "SELECT count() FROM otel_logs WHERE match(Body, 'user[ =][0-9]+7')"),
    ("attribute = value", "SELECT count() FROM otel_logs WHERE LogAttributes['http.route'] = '/api/v1/cart'"),
    (
        "by two attributes",
        "SELECT LogAttributes['http.route'] AS r, ResourceAttributes['k8s.pod.name'] AS p, count() AS n"
        " FROM otel_logs GROUP BY r, p ORDER BY n DESC, r, p LIMIT 20",
    ),
    (
        "top pods by errors",
        "SELECT ResourceAttributes['k8s.pod.name'] AS pod, count() AS n FROM otel_logs WHERE SeverityNumber >= 17"
        " GROUP BY pod ORDER BY n DESC, pod LIMIT 10",
    ),
    (
        "all attribute keys, with counts",
        "SELECT arrayJoin(mapKeys(LogAttributes)) AS k, count() AS n FROM otel_logs GROUP BY k ORDER BY k",
    ),
    (
        "values of an attribute per hour",
        "SELECT toStartOfHour(Timestamp) AS h, uniqExact(LogAttributes['http.route']) AS n FROM otel_logs"
        " GROUP BY h ORDER BY h",
    ),
    ("logs of a trace", "SELECT * FROM otel_logs WHERE TraceId = '{trace}' ORDER BY Timestamp, SpanId"),
    ("spans of a trace", "SELECT * FROM otel_traces WHERE TraceId = '{trace}' ORDER BY Timestamp, SpanId"),
    (
        "rate, errors, duration by minute and service",
        "SELECT ServiceName, toStartOfMinute(Timestamp) AS m, count() AS n, countIf(StatusCode = 'Error') AS e,"
        " quantileExact(0.95)(Duration) AS p95 FROM otel_traces GROUP BY ServiceName, m ORDER BY ServiceName, m",
    ),
    (
        "slow calls by attribute",
        "SELECT SpanAttributes['http.route'] AS r, count() AS n, max(Duration) AS d FROM otel_traces"
        " WHERE Duration > 100000000 GROUP BY r ORDER BY r",
    ),
    (
        "service map, 2 hours",
        "SELECT p.ServiceName AS client, c.ServiceName AS server, count() AS n FROM otel_traces AS c"
        " JOIN otel_traces AS p ON p.TraceId = c.TraceId AND p.SpanId = c.ParentSpanId"
        " WHERE c.Timestamp >= {now} - INTERVAL 2 HOUR AND p.Timestamp >= {now} - INTERVAL 2 HOUR"
        " AND p.ServiceName != c.ServiceName GROUP BY client, server ORDER BY client, server",
    ),
]
