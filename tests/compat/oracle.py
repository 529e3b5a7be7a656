"""ClickHouse in this process, with the tables and settings that the cases expect."""

import re

from chdb import session

import data

FORMAT = "TabSeparatedWithNamesAndTypes"
SETTINGS = {
    "implicit_select": 0,
    "session_timezone": "UTC",
    "print_pretty_type_names": 0,
    "max_execution_time": 20,
    "max_threads": 1,
}


class Oracle:
    """Answers queries as ClickHouse does."""

    def __init__(self):
        self.session = session.Session()
        self.session.query("CREATE DATABASE IF NOT EXISTS compat")
        self.session.query("USE compat")
        for name, value in SETTINGS.items():
            self.session.query(f"SET {name} = '{value}'")
        for table, (rows, _) in data.tables().items():
            self.session.query(data.TABLES[table])
            lines = "\n".join(map(data.as_clickhouse, rows))
            self.session.query(f"INSERT INTO {table} FORMAT JSONEachRow {lines}")

    def answer(self, sql):
        """The lines of the answer, or the number of the error."""
        try:
            result = self.session.query(sql, FORMAT)
        except Exception as error:  # chdb raises plain RuntimeError
            found = re.search(r"Code: (\d+)", str(error))
            if not found:
                raise
            return {"error": int(found.group(1))}
        return {"lines": result.bytes().decode("utf-8", "replace").splitlines()}
