"""The readings in SQLite, for the servers in Python: load_sqlite.py DATABASE URL FILE.csv.gz...

What must always hold: energies come from the files, and only what detection found comes from the wattstream at URL, because the
servers in Python have no detector; sums are made here. So all servers answer from the same rows, and neither was filled from the other.

Energies are whole milliwatt-hours, as in wattstream: their sums are exact, and a millionth of one is the double that is nearest to the
decimal. Instants are the texts that are answered, which sort as time does: reading formats nothing. Rows lie in the order of their
keys (WITHOUT ROWID), so that a site's day or year is one range of neighbouring pages.
"""
import csv
import gzip
import json
import sqlite3
import sys
import urllib.request
from pathlib import Path

RULES = ("high_limit", "missing_interval", "negative_energy", "repeated_value")
MILLIWATT_HOURS_PER_WATT_HOUR = 1_000

SCHEMA = """
CREATE TABLE readings (
    site INTEGER NOT NULL, timestamp TEXT NOT NULL, generated INTEGER NOT NULL, consumed INTEGER NOT NULL,
    findings TEXT, PRIMARY KEY (site, timestamp)
) WITHOUT ROWID;
CREATE TABLE hours (
    site INTEGER NOT NULL, start TEXT NOT NULL, generated INTEGER NOT NULL, consumed INTEGER NOT NULL,
    records INTEGER NOT NULL, anomalies INTEGER NOT NULL, PRIMARY KEY (site, start)
) WITHOUT ROWID;
CREATE TABLE sites (
    site INTEGER PRIMARY KEY, site_id TEXT NOT NULL UNIQUE, records INTEGER NOT NULL, anomalies INTEGER NOT NULL,
    high_limit INTEGER NOT NULL, missing_interval INTEGER NOT NULL, negative_energy INTEGER NOT NULL,
    repeated_value INTEGER NOT NULL, generated INTEGER NOT NULL, consumed INTEGER NOT NULL,
    first_seen TEXT NOT NULL, last_seen TEXT NOT NULL
);
"""

HOURS = """
INSERT INTO hours
SELECT site, substr(timestamp, 1, 13) || ':00:00.000Z' AS start, sum(generated), sum(consumed), count(*), count(findings)
FROM readings GROUP BY site, start ORDER BY site, start
"""

SITES = f"""
INSERT INTO sites
SELECT site, names.site_id, count(*), count(findings), {", ".join(f"count(*) FILTER (WHERE findings LIKE '%{rule}%')" for rule in RULES)},
    sum(generated), sum(consumed), min(timestamp), max(timestamp)
FROM readings JOIN names USING (site) GROUP BY site
"""


def milliwatt_hours(kwh: str) -> int:
    """Of a decimal with three places."""
    whole, places = kwh.split(".")
    assert len(places) == 3, kwh
    return int(whole + places) * MILLIWATT_HOURS_PER_WATT_HOUR


def rows_of(path: Path):
    with gzip.open(path, "rt", newline="") as file:
        rows = csv.reader(file)
        next(rows)
        yield from rows


def findings_of(url: str, site_id: str) -> dict[str, str]:
    """What was found of each anomalous reading of a site, as JSON, by its instant."""
    with urllib.request.urlopen(f"{url}/anomalies/{site_id}?limit=10000") as answer:
        page = json.load(answer)
    assert page["next"] is None, site_id
    return {record["timestamp"]: json.dumps(record["findings"]) for record in page["records"]}


class Loader:
    def __init__(self, database: sqlite3.Connection, url: str):
        self.database = database
        self.url = url
        self.numbers: dict[str, int] = {}
        self.findings: dict[str, dict[str, str]] = {}

    def number(self, site_id: str) -> int:
        if site_id not in self.numbers:
            self.numbers[site_id] = len(self.numbers) + 1
            self.findings[site_id] = findings_of(self.url, site_id)
        return self.numbers[site_id]

    def row(self, line: list[str]) -> tuple:
        site_id, instant, generated, consumed = line
        number, instant = self.number(site_id), instant.removesuffix("Z") + ".000Z"
        findings = self.findings[site_id].pop(instant, None)
        return number, instant, milliwatt_hours(generated), milliwatt_hours(consumed), findings

    def load(self, path: Path) -> None:
        """One file holds all readings of its sites. They are inserted in the order of the table."""
        rows = sorted(map(self.row, rows_of(path)))
        self.database.executemany("INSERT INTO readings VALUES (?, ?, ?, ?, ?)", rows)
        left = sum(map(len, self.findings.values()))
        assert left == 0, f"{left} anomalous readings are not in the files: is {self.url} of the same data?"

    def sum_up(self) -> None:
        self.database.execute("CREATE TEMP TABLE names (site INTEGER PRIMARY KEY, site_id TEXT NOT NULL)")
        self.database.executemany("INSERT INTO names VALUES (?, ?)", ((number, name) for name, number in self.numbers.items()))
        self.database.execute(HOURS)
        self.database.execute(SITES)


def load(path: Path, url: str, files: list[Path]) -> None:
    """Makes the database; it has its name when it is whole."""
    unfinished = path.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    database = sqlite3.connect(unfinished)
    # While it is being made nothing of it is precious.
    database.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA page_size = 8192;" + SCHEMA)
    loader = Loader(database, url)
    for file in files:
        loader.load(file)
    loader.sum_up()
    database.commit()
    database.execute("ANALYZE")
    database.commit()
    database.execute("PRAGMA journal_mode = WAL")
    database.close()
    unfinished.rename(path)


if __name__ == "__main__":
    load(Path(sys.argv[1]), sys.argv[2], [Path(file) for file in sys.argv[3:]])
