"""Compares Cairn with ClickHouse, query by query: names, types, values and order.

  compat.py data                        writes the requests that fill Cairn's tables
  compat.py record [FAMILY…]            asks ClickHouse about the cases and writes its answers down
  compat.py live URL [FAMILY…]          asks both about the cases
  compat.py random URL SEED COUNT       asks both about random queries; prints those that differ
  compat.py load URL                    sends the requests to Cairn's OTLP port
  compat.py run BINARY SEED COUNT       starts a Cairn of its own, then load, live and random

A case is a line of cases/FAMILY.sql. gaps.txt lists cases that are known to differ, under their reasons.
"""

import json
import math
import re
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from pathlib import Path

import data

HERE = Path(__file__).parent
FORMAT = "TabSeparatedWithNamesAndTypes"
# A recorded answer is read by people and kept for ever.
MAX_ANSWER_CHARACTERS = 20_000


def lines(path):
    """Lines of a file of queries that are no comments."""
    text = path.read_text(encoding="utf-8")
    return [line for line in text.split("\n") if line.strip() and not line.startswith("--")]


def families(wanted):
    """Name and cases of each family."""
    for path in sorted((HERE / "cases").glob("*.sql")):
        if not wanted or path.stem in wanted:
            yield path.stem, lines(path)


def ask(url, sql):
    """Cairn's answer in the shape of the oracle's."""
    request = urllib.request.Request(f"{url}/?default_format={FORMAT}", data=sql.encode())
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            body = response.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        body = error.read().decode("utf-8", "replace")
        found = re.search(r"Code: (\d+)", body)
        return {"error": int(found.group(1)) if found else -1, "message": body.strip()}
    except OSError as error:
        return {"error": -1, "message": str(error)}
    found = re.search(r"Code: (\d+)\. DB::Exception", body)
    if found:
        return {"error": int(found.group(1)), "message": body.strip()[-300:]}
    return {"lines": body.splitlines()}


def same(expected, found):
    """Whether two answers agree; messages of errors are free."""
    if "error" in expected or "error" in found:
        return expected.get("error") == found.get("error")
    return expected["lines"] == found["lines"]


def alike(expected, found):
    """Whether two answers agree but for the last digits of floats, which depend on the order of adding."""
    if same(expected, found):
        return True
    if "error" in expected or "error" in found or len(expected["lines"]) != len(found["lines"]):
        return False
    ours, theirs = ([line.split("\t") for line in answer["lines"]] for answer in (found, expected))
    types = theirs[1] if len(theirs) > 1 else []

    def near(column, a, b):
        if a == b:
            return True
        floats = column < len(types) and "Float" in types[column] and "Array" not in types[column]
        return floats and math.isclose(float(a), float(b), rel_tol=1e-11)

    return all(
        len(a) == len(b) and all(near(i, x, y) for i, (x, y) in enumerate(zip(a, b)))
        for a, b in zip(ours, theirs)
    )


def shown(answer):
    """An answer for people."""
    if "error" in answer:
        return f"error {answer['error']} {answer.get('message', '')[:200]}"
    return "\n           ".join(line[:300] for line in answer["lines"][:8])


def report(sql, expected, found):
    print(f"{sql}\n   expect  {shown(expected)}\n   found   {shown(found)}")


def record(wanted):
    """Writes ClickHouse's answers beside the cases."""
    from oracle import Oracle

    oracle = Oracle()
    (HERE / "answers").mkdir(exist_ok=True)
    for family, cases in families(wanted):
        answers = [{"sql": sql, **oracle.answer(sql)} for sql in cases]
        for answer in answers:
            if sum(map(len, answer.get("lines", []))) > MAX_ANSWER_CHARACTERS:
                raise SystemExit(f"the answer is too long to be kept: {answer['sql']}")
        text = "".join(json.dumps(answer, ensure_ascii=False) + "\n" for answer in answers)
        (HERE / "answers" / f"{family}.jsonl").write_text(text, encoding="utf-8")
        print(f"{family}: {len(answers)} answers")


def live(url, wanted):
    """Both answers to every case; the exit status tells whether a case differs that is no gap."""
    from oracle import Oracle

    oracle = Oracle()
    gaps = set(lines(HERE / "gaps.txt"))
    wrong = count = 0
    for _, cases in families(wanted):
        for sql in cases:
            count += 1
            expected, found = oracle.answer(sql), ask(url, sql)
            agree = same(expected, found)
            if agree == (sql in gaps):
                wrong += 1
                report(sql, expected, found)
    print(f"{count} cases, {wrong} differ")
    return wrong == 0


def random_queries(url, seed, count):
    """Random queries; those that differ are printed."""
    from generate import Generator
    from oracle import Oracle

    oracle, generator = Oracle(), Generator(seed)
    wrong = refused = 0
    for _ in range(count):
        sql = generator.query()
        expected, found = oracle.answer(sql), ask(url, sql)
        refused += "error" in expected
        if not alike(expected, found):
            wrong += 1
            report(sql, expected, found)
    print(f"seed {seed}: {count} queries, ClickHouse refused {refused}, {wrong} differ")
    return wrong == 0


def load(url):
    """Sends the rows of all tables to the OTLP port."""
    for table, path in (("otel_logs", "/v1/logs"), ("otel_traces", "/v1/traces")):
        body = json.dumps(data.tables()[table][1]).encode()
        request = urllib.request.Request(url + path, data=body, headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as response:
            answer = response.read().decode()
            if "rejected" in answer:
                raise SystemExit(answer)


def run(binary, seed, count):
    """All comparisons against a server that lives as long as they do."""
    with tempfile.TemporaryDirectory() as folder:
        command = [binary, "serve", "--data-dir", folder, "--log-format", "json"]
        for port in ("clickhouse", "otlp-grpc", "otlp-http", "ops"):
            command += [f"--{port}-addr", "127.0.0.1:0"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
            try:
                urls = {}
                for line in server.stderr:
                    message = json.loads(line)
                    if message.get("message") == "listening":
                        urls[message["role"]] = f"http://{message['addr']}"
                    if message.get("message") == "ready":
                        break
                # Nobody may stop the server by not reading its log.
                threading.Thread(target=server.stderr.read, daemon=True).start()
                load(urls["otlp_http"])
                url = urls["clickhouse"]
                return all([live(url, []), random_queries(url, seed, count)])
            finally:
                server.kill()


def main(arguments):
    match arguments:
        case ["data"]:
            data.write()
        case ["record", *wanted]:
            record(wanted)
        case ["live", url, *wanted]:
            return live(url, wanted)
        case ["random", url, seed, count]:
            return random_queries(url, int(seed), int(count))
        case ["load", url]:
            load(url)
        case ["run", binary, seed, count]:
            return run(binary, int(seed), int(count))
        case _:
            print(__doc__)
            return False
    return True


if __name__ == "__main__":
    sys.exit(0 if main(sys.argv[1:]) else 1)
