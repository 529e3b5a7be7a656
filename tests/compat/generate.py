"""Random queries within the grammar that both understand. The same seed gives the same queries."""

import random

LOGS = {
    "TraceId": "s",
    "SeverityText": "s",
    "SeverityNumber": "n",
    "ServiceName": "s",
    "Body": "s",
    "ScopeName": "s",
    "EventName": "s",
    "TraceFlags": "n",
    "Timestamp": "t",
    "LogAttributes['user.id']": "s",
    "LogAttributes['http.status_code']": "s",
    "ResourceAttributes['host.name']": "s",
    "length(LogAttributes)": "n",
}
TRACES = {
    "TraceId": "s",
    "SpanId": "s",
    "ParentSpanId": "s",
    "SpanName": "s",
    "SpanKind": "s",
    "ServiceName": "s",
    "StatusCode": "s",
    "StatusMessage": "s",
    "Duration": "n",
    "Timestamp": "t",
    "SpanAttributes['http.route']": "s",
    "length(`Events.Name`)": "n",
}
TEXTS = ["''", "'a'", "'error'", "'200'", "'user'", "'größe'", "'%'", "'GET /orders'", "' '", "'4711'"]
NUMBERS = ["0", "1", "2", "9", "17", "100", "255", "1000", "-1", "1.5", "1000000"]
UNITS = ["SECOND", "MINUTE", "HOUR", "DAY"]

# {s}, {n}, {t}, {b} stand for a text, a number, a time and a condition.
SHAPES = {
    "s": [
        "lower({s})", "upper({s})", "concat({s}, {s})", "substring({s}, {p}, {p})", "reverse(toString({i}))",
        "if({b}, {s}, {s})", "replaceAll({s}, 'e', '3')", "replaceRegexpAll({s}, '[0-9]+', '#')", "trim({s})",
        "extract({s}, '[a-z]+')", "toString({i})", "leftPad(toString({i}), 4, '0')", "multiIf({b}, {s}, {b}, {s}, {s})",
        "formatDateTime({t}, '%H:%i')", "splitByChar(' ', {s})[{p}]", "coalesce(nullIf(toString({s}), ''), 'none')", "left({s}, {p})",
        "domain({s})", "hex({s})", "base64Encode({s})", "arrayStringConcat(splitByChar('e', {s}), '|')",
    ],
    "n": [
        "length({s})", "({n} + {n})", "({n} - {n})", "({n} * {p})", "({n} / {p})", "intDiv({i}, {p})", "({i} % {p})",
        "abs({n})", "position({s}, 'e')", "toHour({t})", "toMinute({t})", "toUnixTimestamp({t})", "if({b}, {p}, 7)",
        "lengthUTF8({s})", "countSubstrings({s}, 'e')", "toUInt8({b})", "round({n} / 7, 2)", "floor({n})",
        "toInt64OrZero({s})", "dateDiff('minute', {t}, {t})", "empty({s})", "cityHash64({s}) % 1000", "bitAnd({i}, 7)",
    ],
    "i": ["length({s})", "toHour({t})", "position({s}, 'a')", "SeverityOrDuration", "toSecond({t})", "lengthUTF8({s})"],
    "t": [
        "toStartOfMinute({t})", "toStartOfHour({t})", "toStartOfInterval({t}, INTERVAL {p} {u})", "({t} + INTERVAL {p} {u})",
        "date_trunc('hour', {t})", "toDateTime({t})", "toStartOfFiveMinutes({t})", "({t} - INTERVAL {p} {u})",
    ],
    "b": [
        "{s} = {s}", "{s} != {l}", "{n} > {n}", "{n} <= {c}", "{s} LIKE '%e%'", "{s} ILIKE '%ERROR%'", "{s} IN ({l}, {l})",
        "{n} BETWEEN {c} AND {c}", "NOT ({b})", "({b} AND {b})", "({b} OR {b})", "hasToken({s}, 'error')", "empty({s})",
        "match({s}, '[0-9]')", "{t} >= '2025-08-20 13:00:00'", "startsWith({s}, 'a')", "{s} NOT LIKE 'G%'",
    ],
}
AGGREGATES = [
    "count()", "countIf({b})", "sum({n})", "min({n})", "max({n})", "min({s})", "max({s})", "uniqExact({s})", "avg({n})",
    "max(Timestamp)", "min(Timestamp)", "sumIf({n}, {b})", "uniq({s})", "arraySort(groupUniqArray({s}))", "quantileExact(0.5)({i})",
    "argMax({s}, (Timestamp, TraceId, SpanId))", "any(1)", "count(DISTINCT {s})", "uniqIf({s}, {b})", "maxIf({n}, {b})",
    "arraySort(groupArray({s}))", "quantile(0.9)({i})", "sumOrNull({n})", "minOrNullIf({s}, {b})", "stddevPop({i})",
]


class Generator:
    """An endless source of queries."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.columns = LOGS

    def fill(self, shape, depth):
        out = ""
        rest = shape
        while "{" in rest:
            before, _, after = rest.partition("{")
            kind, _, rest = after.partition("}")
            out += before + self.part(kind, depth)
        out += rest
        return out.replace("SeverityOrDuration", "SeverityNumber" if self.columns is LOGS else "Duration")

    def part(self, kind, depth):
        rng = self.rng
        match kind:
            case "p":
                return str(rng.randint(1, 12))
            case "l":
                return rng.choice(TEXTS)
            case "c":
                return rng.choice(NUMBERS)
            case "u":
                return rng.choice(UNITS)
            case _:
                return self.expression(kind, depth - 1)

    def leaf(self, kind):
        rng = self.rng
        if kind == "b":
            return self.fill("{s} = {l}", 0) if rng.random() < 0.5 else self.fill("{n} > {c}", 0)
        if kind == "i":
            return "SeverityNumber" if self.columns is LOGS else "Duration"
        if kind == "s" and rng.random() < 0.15:
            return rng.choice(TEXTS)
        if kind == "n" and rng.random() < 0.15:
            return rng.choice(NUMBERS)
        return rng.choice([name for name, has in self.columns.items() if has == kind])

    def expression(self, kind, depth):
        if depth <= 0 or self.rng.random() < 0.3:
            return self.leaf(kind)
        return self.fill(self.rng.choice(SHAPES[kind]), depth)

    def query(self):
        rng = self.rng
        table, self.columns = rng.choice([("otel_logs", LOGS), ("otel_traces", TRACES)])
        where = f" WHERE {self.expression('b', 3)}" if rng.random() < 0.6 else ""
        match rng.randrange(4):
            case 0:
                items = [self.expression(rng.choice("sntb"), 3) for _ in range(rng.randint(1, 3))]
                return (
                    f"SELECT {', '.join(items)} FROM {table}{where} "
                    f"ORDER BY Timestamp, TraceId, SpanId, Body LIMIT {rng.randint(1, 20)}"
                    if table == "otel_logs"
                    else f"SELECT {', '.join(items)} FROM {table}{where} ORDER BY Timestamp, SpanId LIMIT {rng.randint(1, 20)}"
                )
            case 1:
                items = [self.fill(rng.choice(AGGREGATES), 2) for _ in range(rng.randint(1, 3))]
                return f"SELECT {', '.join(items)} FROM {table}{where}"
            case 2:
                key = self.expression(rng.choice("snt"), 2)
                items = [self.fill(rng.choice(AGGREGATES), 2) for _ in range(rng.randint(1, 2))]
                having = f" HAVING count() > {rng.randint(0, 5)}" if rng.random() < 0.3 else ""
                return f"SELECT {key} AS k, {', '.join(items)} FROM {table}{where} GROUP BY k{having} ORDER BY k LIMIT 30"
            case _:
                key = self.expression(rng.choice("st"), 2)
                inner = f"SELECT {key} AS k, {self.expression('n', 2)} AS v FROM {table}{where}"
                return (
                    f"SELECT k, sum(v) AS total, count() FROM ({inner}) GROUP BY k "
                    f"ORDER BY total DESC, k LIMIT {rng.randint(1, 10)}"
                )
