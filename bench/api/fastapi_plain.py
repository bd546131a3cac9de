"""The query API as FastAPI's own tutorial teaches it, over SQLite: three of wattstream's queries, with the same JSON.

    BENCH_DATABASE=FILE uvicorn fastapi_plain:app --workers N --loop uvloop --http httptools --no-access-log

Pydantic models are the return types, endpoints are plain functions that FastAPI runs on its threads, and a dependency opens the database
for each request. It gets what costs nothing to have: stored totals and hours, queries along one primary key, uvloop, a worker a core.
"""
import os
import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Query
from pydantic import BaseModel, Json

from statements import HOURS, MILLIWATT_HOURS_PER_KWH, POINTS_MAX, RECORDS, RECORDS_DEFAULT, RECORDS_MAX, SITE, SITES

app = FastAPI()


def database() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(f"file:{os.environ['BENCH_DATABASE']}?mode=ro", uri=True, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    try:
        yield connection
    finally:
        connection.close()


Database = Annotated[sqlite3.Connection, Depends(database)]


class Energies(BaseModel):
    energy_generated_kwh: float | None
    energy_consumed_kwh: float | None
    net_energy_kwh: float | None


class Finding(BaseModel):
    rule: str
    severity: str
    channel: str | None
    score: float
    expected_kwh: float | None


class Record(Energies):
    site_id: str
    timestamp: str
    anomaly: bool
    findings: list[Finding]
    revision: int


class RecordPage(BaseModel):
    site_id: str
    start: str
    end: str
    records: list[Record]
    next: str | None


class Point(Energies):
    start: str
    records: int
    anomalies: int


class SiteSeries(BaseModel):
    site_id: str
    resolution: str
    start: str
    end: str
    first_seen: str | None
    last_seen: str | None
    points: list[Point]


class Totals(Energies):
    records: int
    anomalies: int
    anomalies_by_rule: dict[str, int]
    efficiency: float | None
    first_seen: str | None
    last_seen: str | None
    duplicates: int
    late: int
    revisions: int


class SiteSummary(Totals):
    site_id: str


class Summary(BaseModel):
    as_of: str | None
    site_count: int
    totals: Totals
    site_ids: list[str]
    sites: list[SiteSummary]


class Findings(BaseModel):
    """The column of a reading's findings, a JSON text."""

    findings: Json[list[Finding]]


RULES = ("high_limit", "missing_interval", "negative_energy", "repeated_value")
COUNTS_AND_ENERGIES = ("records", "anomalies", *RULES, "generated", "consumed")


def energies(generated: int, consumed: int) -> dict[str, float]:
    return {
        "energy_generated_kwh": generated / MILLIWATT_HOURS_PER_KWH,
        "energy_consumed_kwh": consumed / MILLIWATT_HOURS_PER_KWH,
        "net_energy_kwh": (generated - consumed) / MILLIWATT_HOURS_PER_KWH,
    }


def totals(of: dict) -> dict:
    known = energies(of["generated"], of["consumed"])
    generated = known["energy_generated_kwh"]
    return known | {
        "records": of["records"],
        "anomalies": of["anomalies"],
        "anomalies_by_rule": {rule: of[rule] for rule in RULES},
        "efficiency": known["net_energy_kwh"] / generated if generated > 0 else None,
        "first_seen": of["first_seen"],
        "last_seen": of["last_seen"],
        "duplicates": 0,
        "late": 0,
        "revisions": 0,
    }


def site_named(site_id: str, database: Database) -> sqlite3.Row:
    site = database.execute(SITE, (site_id,)).fetchone()
    if site is None:
        raise HTTPException(404, f"There is no site {site_id!r}.")
    return site


Site = Annotated[sqlite3.Row, Depends(site_named)]


@app.get("/summary")
def summary(database: Database) -> Summary:
    rows = [dict(row) for row in database.execute(SITES)]
    fleet = {column: sum(row[column] for row in rows) for column in COUNTS_AND_ENERGIES}
    fleet["first_seen"] = min((row["first_seen"] for row in rows), default=None)
    fleet["last_seen"] = max((row["last_seen"] for row in rows), default=None)
    return Summary(
        as_of=None,
        site_count=len(rows),
        totals=Totals(**totals(fleet)),
        site_ids=[row["site_id"] for row in rows],
        sites=[SiteSummary(site_id=row["site_id"], **totals(row)) for row in rows],
    )


@app.get("/records/{site_id}")
def records(
    site_id: str,
    start: str,
    end: str,
    site: Site,
    database: Database,
    limit: Annotated[int, Query(ge=1, le=RECORDS_MAX)] = RECORDS_DEFAULT,
    cursor: str = "",
) -> RecordPage:
    rows = database.execute(RECORDS, (site["site"], cursor or start, end, limit + 1)).fetchall()
    return RecordPage(
        site_id=site_id,
        start=start,
        end=end,
        records=[
            Record(
                site_id=site_id,
                timestamp=row["timestamp"],
                anomaly=row["findings"] is not None,
                findings=Findings(findings=row["findings"]).findings if row["findings"] else [],
                revision=0,
                **energies(row["generated"], row["consumed"]),
            )
            for row in rows[:limit]
        ],
        next=rows[limit]["timestamp"] if len(rows) > limit else None,
    )


@app.get("/series/{site_id}")
def series(site_id: str, start: datetime, end: datetime, resolution: str, site: Site, database: Database) -> SiteSeries:
    if resolution != "hour":
        raise HTTPException(400, "This server has hours alone.")
    if (end - start) / timedelta(hours=1) > POINTS_MAX:
        raise HTTPException(400, f"An answer has at most {POINTS_MAX} points.")
    found = {row["start"]: row for row in database.execute(HOURS, (site["site"], text(start), text(end)))}
    points = []
    at = start
    while at < end:
        row = found.get(text(at))
        known = energies(row["generated"], row["consumed"]) if row else dict.fromkeys(Energies.model_fields)
        counts = {"records": row["records"], "anomalies": row["anomalies"]} if row else {"records": 0, "anomalies": 0}
        points.append(Point(start=text(at), **known, **counts))
        at += timedelta(hours=1)
    return SiteSeries(
        site_id=site_id,
        resolution=resolution,
        start=text(start),
        end=text(end),
        first_seen=site["first_seen"],
        last_seen=site["last_seen"],
        points=points,
    )


def text(instant: datetime) -> str:
    return instant.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")
