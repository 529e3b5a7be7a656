#!/usr/bin/env python3
"""The same logs and traces in Cairn and in ClickHouse, in one run: bytes per row, and the time of each question.

    pip install chdb
    cargo build --release -p cairn-server -p benches
    python3 benches/compare/compare.py --rows 4000000

ClickHouse runs inside this process (chdb), without HTTP and without fsync; Cairn answers over HTTP. Both get the same
rows: Cairn over OTLP, ClickHouse what Cairn gives back, so a difference of answers is an error of one of them and is
printed. Ratios are Cairn / ClickHouse: below 1 Cairn is smaller or faster.
"""

import argparse
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

from chdb import session

from questions import QUESTIONS
from schema import TABLES

START_SECONDS = 60
STOP_SECONDS = 120
SETTLE_SECONDS = 120
QUERY_SECONDS = 300


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Cairn:
    """A `cairn serve` of our own on free ports."""

    def __init__(self, binary, folder, extra):
        self.binary, self.folder, self.extra, self.process = binary, folder, extra, None
        self.sql, self.otlp = free_port(), free_port()

    def start(self):
        ports = [
            f"--clickhouse-addr=127.0.0.1:{self.sql}",
            f"--otlp-http-addr=127.0.0.1:{self.otlp}",
            "--otlp-grpc-addr=127.0.0.1:0",
            "--ops-addr=127.0.0.1:0",
        ]
        log = open(os.path.join(self.folder, "cairn.log"), "ab")
        data = os.path.join(self.folder, "cairn")
        command = [self.binary, "serve", "--data-dir", data, *ports, *self.extra]
        self.process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                return self.ask("SELECT 1")
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise SystemExit(f"cairn does not start, see {log.name}")
                time.sleep(0.05)

    def stop(self):
        """A clean stop writes what is in memory to segments."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(STOP_SECONDS)

    def ask(self, sql, form="TSV"):
        query = urllib.parse.urlencode({"default_format": form})
        request = urllib.request.Request(f"http://127.0.0.1:{self.sql}/?{query}", data=sql.encode())
        with urllib.request.urlopen(request, timeout=QUERY_SECONDS) as reply:
            return reply.read()

    def save(self, sql, form, path):
        query = urllib.parse.urlencode({"default_format": form, "max_execution_time": QUERY_SECONDS})
        request = urllib.request.Request(f"http://127.0.0.1:{self.sql}/?{query}", data=sql.encode())
        with urllib.request.urlopen(request, timeout=QUERY_SECONDS) as reply, open(path, "wb") as file:
            while chunk := reply.read(1 << 20):
                file.write(chunk)

    def peak_mib(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            peak = next(line for line in status if line.startswith("VmHWM"))
        return int(peak.split()[1]) / 1024

    def settle(self):
        """Waits until the inputs of merges are deleted, so that no row is counted twice."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while len(list(self.segments(""))) > int(self.ask("SELECT count() FROM system.parts WHERE active")):
            if time.monotonic() > deadline:
                raise SystemExit(f"merged segments are still on disk after {SETTLE_SECONDS} s")
            time.sleep(1)

    def segments(self, table):
        for folder, _, files in os.walk(os.path.join(self.folder, "cairn", "data")):
            yield from (os.path.join(folder, name) for name in files if name.startswith(table))

    def segment_bytes(self, table):
        return sum(map(os.path.getsize, self.segments(table + "-")))


def load_cairn(cairn, loadgen, rows, spans):
    for signal_name, count, batch in (("logs", rows, 5000), ("traces", spans, 2000)):
        command = [
            loadgen, "--signal", signal_name, "--rows", str(count), "--batch", str(batch), "--spread", "24h",
            "--endpoint", f"http://127.0.0.1:{cairn.otlp}",
        ]
        out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        print(f"cairn load, {signal_name}: " + " · ".join(" ".join(line.split()) for line in out.splitlines()))
    print(f"cairn peak memory while loading: {cairn.peak_mib():.0f} MiB")


def load_clickhouse(clickhouse, cairn, folder):
    for table, schema in TABLES.items():
        clickhouse.query(schema)
        names = [
            column["name"]
            for column in map(json.loads, cairn.ask(f"DESCRIBE TABLE {table}", "JSONEachRow").splitlines())
            if not column["default_type"]
        ]
        columns = ", ".join(f"`{name}`" for name in names)
        path = os.path.join(folder, f"{table}.native")
        cairn.save(f"SELECT {columns} FROM {table}", "Native", path)
        started = time.monotonic()
        clickhouse.query(f"INSERT INTO {table} ({columns}) FROM INFILE '{path}' FORMAT Native")
        loaded = time.monotonic() - started
        os.unlink(path)
        clickhouse.query(f"OPTIMIZE TABLE {table} FINAL")
        count = int(str(clickhouse.query(f"SELECT count() FROM {table}")))
        print(f"clickhouse load, {table}: {count} rows in {loaded:.1f} s = {count / loaded:.0f} rows/s (Native file)")


def sizes(clickhouse, cairn):
    print("\n| bytes per row | Cairn | ClickHouse | ratio |\n|---|---|---|---|")
    sums = [0, 0]
    for table in TABLES:
        count, theirs = map(int, str(clickhouse.query(
            f"SELECT sum(rows), sum(bytes_on_disk) FROM system.parts WHERE active AND table = '{table}'", "TSV"
        )).split())
        ours = cairn.segment_bytes(table)
        sums = [sums[0] + ours, sums[1] + theirs]
        print(f"| {table}, {count} rows | {ours / count:.1f} | {theirs / count:.1f} | {ours / theirs:.2f} |")
    print(f"| both, MB | {sums[0] / 1e6:.1f} | {sums[1] / 1e6:.1f} | {sums[0] / sums[1]:.2f} |")


def timed(ask, repeats):
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        answer = ask()
        times.append((time.perf_counter() - started) * 1000)
    return answer, times[0], min(times), statistics.median(times)


def questions(clickhouse, cairn, repeats, only):
    now = "toDateTime64('" + cairn.ask("SELECT max(Timestamp) FROM otel_logs").decode().strip() + "', 9)"
    trace = cairn.ask("SELECT TraceId FROM otel_traces ORDER BY Timestamp LIMIT 1 OFFSET 100").decode().strip()
    needle = cairn.ask("SELECT substring(TraceId, 3, 5) FROM otel_traces ORDER BY Timestamp LIMIT 1").decode().strip()
    print("\n| question, ms: first / best / median | Cairn | ClickHouse | best, ratio |\n|---|---|---|---|")
    different = 0
    for name, text in QUESTIONS:
        if only and only not in name:
            continue
        sql = text.format(now=now, trace=trace, needle=needle)
        try:
            ours = timed(lambda: cairn.ask(sql), repeats)
        except OSError as error:
            body = error.read().decode()[:150] if hasattr(error, "read") else error
            print(f"| {name} | failed: {body} | | |")
            different += 1
            continue
        theirs = timed(lambda: clickhouse.query(sql, "TSV").bytes(), repeats)
        same = sorted(ours[0].splitlines()) == sorted(theirs[0].splitlines())
        different += not same
        show = lambda times: " / ".join(f"{ms:.1f}" for ms in times[1:])
        note = "" if same else " — **answers differ**"
        print(f"| {name}{note} | {show(ours)} | {show(theirs)} | {ours[2] / theirs[2]:.2f} |", flush=True)
        if not same:
            for side, answer in (("cairn", ours[0]), ("clickhouse", theirs[0])):
                print(f"<!-- {side}: {answer[:300]!r} -->")
    print(f"\npeak memory of cairn after the questions: {cairn.peak_mib():.0f} MiB")
    return different


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    target = os.environ.get("CARGO_TARGET_DIR", "target")
    parser.add_argument("--cairn", default=f"{target}/release/cairn", help="the server's binary (%(default)s)")
    parser.add_argument("--loadgen", default=f"{target}/release/loadgen", help="the load generator (%(default)s)")
    parser.add_argument("--rows", type=int, default=4_000_000, help="log records (%(default)s)")
    parser.add_argument("--spans", type=int, default=1_000_000, help="spans (%(default)s)")
    parser.add_argument("--repeats", type=int, default=5, help="runs of each question (%(default)s)")
    parser.add_argument("--only", help="only questions whose name has this text")
    parser.add_argument("--work-dir", help="where to put the data; a fresh folder that is removed, unless given")
    parser.add_argument("--serve-flag", action="append", default=[], help="a further flag of `cairn serve`; repeat it")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.work_dir) as folder:
        cairn = Cairn(os.path.abspath(options.cairn), folder, options.serve_flag)
        clickhouse = session.Session(os.path.join(folder, "clickhouse"))
        clickhouse.query("CREATE DATABASE compare; USE compare")
        cairn.start()
        try:
            load_cairn(cairn, options.loadgen, options.rows, options.spans)
            cairn.stop()
            cairn.start()
            load_clickhouse(clickhouse, cairn, folder)
            cairn.settle()
            sizes(clickhouse, cairn)
            different = questions(clickhouse, cairn, options.repeats, options.only)
        finally:
            if cairn.process.poll() is None:
                cairn.stop()
    sys.exit(1 if different else 0)


if __name__ == "__main__":
    main()
