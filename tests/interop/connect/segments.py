"""DuckDB and pyarrow read sealed segments directly: what Cairn keeps is plain Parquet."""

import importlib.metadata
import os
import pathlib
import sys

import duckdb
import pyarrow.parquet

BASE_S = int(os.environ["CAIRN_BASE_S"])


def same(what, found, expected):
    if found != expected:
        sys.exit(f"{what}\n  found    {found!r}\n  expected {expected!r}")


def main():
    files = sorted(pathlib.Path(os.environ["CAIRN_DATA_DIR"]).rglob("*.parquet"))
    names = {file: pyarrow.parquet.read_schema(file).names for file in files}
    logs = [file for file, columns in names.items() if "Body" in columns]
    spans = [file for file, columns in names.items() if "SpanName" in columns]
    same("segments of logs and spans", (bool(logs), bool(spans)), (True, True))

    rows = sum(pyarrow.parquet.read_table(file).num_rows for file in logs)
    same("rows read by pyarrow", rows, 3)
    listed = ", ".join(f"'{file}'" for file in logs)
    found = duckdb.sql(
        f"SELECT Body, SeverityNumber, ServiceName FROM read_parquet([{listed}]) ORDER BY Timestamp"
    ).fetchall()
    same("a body", found[0][0], "charging failed: it's \"declined\" \\ déjà vu 世界\tend")
    same("severities", [row[1] for row in found], [17, 9, 13])
    same("services", [row[2] for row in found], ["checkout", "checkout", "cart"])
    versions = [f"{name} {importlib.metadata.version(name)}" for name in ["duckdb", "pyarrow"]]
    print(f"{' and '.join(versions)} read segment files: ok")


if __name__ == "__main__":
    main()
