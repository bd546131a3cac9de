"""The query API as FastAPI and SQLite answer it fastest: three of wattstream's queries, with the same JSON.

    BENCH_DATABASE=FILE uvicorn fastapi_tuned:app --workers N --loop uvloop --http httptools --no-access-log

It is meant to be fast. Totals of a site and sums of an hour are stored, every query reads neighbouring rows of one primary key, the
database is mapped into memory, statements are prepared once, a worker has one connection and reads on its own loop (a thread would cost
more than a read), answers are made by orjson and not by pydantic. It does less than wattstream: no tags, no compression, no request ids, no
metrics, no cursors that are bound to their question.
"""
import functools
import os
import sqlite3
from datetime import datetime, timedelta

import orjson
from fastapi import FastAPI, HTTPException, Query, Response

from statements import HOURS, MILLIWATT_HOURS_PER_KWH, POINTS_MAX, RECORDS, RECORDS_DEFAULT, RECORDS_MAX, SITE, SITES

MAPPED_BYTES = 4 << 30
CACHED_KIB = 64 << 10


def connect() -> sqlite3.Connection:
    database = sqlite3.connect(f"file:{os.environ['BENCH_DATABASE']}?mode=ro", uri=True, check_same_thread=False)
    database.execute(f"PRAGMA mmap_size = {MAPPED_BYTES}")
    database.execute(f"PRAGMA cache_size = -{CACHED_KIB}")
    return database


app = FastAPI(openapi_url=None)
database = connect()


def answer(body: dict) -> Response:
    return Response(orjson.dumps(body), media_type="application/json")


def site_named(site_id: str) -> tuple[int, str, str]:
    site = database.execute(SITE, (site_id,)).fetchone()
    if site is None:
        raise HTTPException(404, f"There is no site {site_id!r}.")
    return site


def totals(row: tuple) -> dict:
    records, anomalies, high, missing, negative, repeated, generated, consumed, first_seen, last_seen = row
    net = generated - consumed
    return {
        "records": records,
        "anomalies": anomalies,
        "anomalies_by_rule": {
            "high_limit": high,
            "missing_interval": missing,
            "negative_energy": negative,
            "repeated_value": repeated,
        },
        "energy_generated_kwh": generated / MILLIWATT_HOURS_PER_KWH,
        "energy_consumed_kwh": consumed / MILLIWATT_HOURS_PER_KWH,
        "net_energy_kwh": net / MILLIWATT_HOURS_PER_KWH,
        "efficiency": (net / MILLIWATT_HOURS_PER_KWH) / (generated / MILLIWATT_HOURS_PER_KWH) if generated > 0 else None,
        "first_seen": first_seen,
        "last_seen": last_seen,
        "duplicates": 0,
        "late": 0,
        "revisions": 0,
    }


@app.get("/summary")
async def summary() -> Response:
    rows = database.execute(SITES).fetchall()
    counts_and_energies = [sum(row[column] for row in rows) for column in range(1, 9)]
    seen = (min((row[9] for row in rows), default=None), max((row[10] for row in rows), default=None))
    return answer(
        {
            "as_of": None,
            "site_count": len(rows),
            "totals": totals((*counts_and_energies, *seen)),
            "site_ids": [row[0] for row in rows],
            "sites": [{"site_id": row[0]} | totals(row[1:]) for row in rows],
        }
    )


@app.get("/records/{site_id}")
async def records(
    site_id: str, start: str, end: str, limit: int = Query(RECORDS_DEFAULT, ge=1, le=RECORDS_MAX), cursor: str = ""
) -> Response:
    """The range is a pair of instants as they are answered. The cursor is the instant of the next page's first reading."""
    number, first_seen, last_seen = site_named(site_id)
    rows = database.execute(RECORDS, (number, cursor or start, end, limit + 1)).fetchall()
    body = {
        "site_id": site_id,
        "start": start,
        "end": end,
        "records": [
            {
                "site_id": site_id,
                "timestamp": timestamp,
                "energy_generated_kwh": generated / MILLIWATT_HOURS_PER_KWH,
                "energy_consumed_kwh": consumed / MILLIWATT_HOURS_PER_KWH,
                "net_energy_kwh": (generated - consumed) / MILLIWATT_HOURS_PER_KWH,
                "anomaly": findings is not None,
                "findings": orjson.Fragment(findings) if findings else [],
                "revision": 0,
            }
            for timestamp, generated, consumed, findings in rows[:limit]
        ],
        "next": rows[limit][0] if len(rows) > limit else None,
    }
    return answer(body if rows else body | {"first_seen": first_seen, "last_seen": last_seen})


@functools.lru_cache(maxsize=64)
def hours_of(start: str, end: str) -> list[str]:
    first, last = datetime.fromisoformat(start), datetime.fromisoformat(end)
    count = (last - first) // timedelta(hours=1)
    return [(first + timedelta(hours=hour)).strftime("%Y-%m-%dT%H:%M:%S.000Z") for hour in range(count)]


def gap(start: str) -> dict:
    nothing = {"energy_generated_kwh": None, "energy_consumed_kwh": None, "net_energy_kwh": None}
    return {"start": start} | nothing | {"records": 0, "anomalies": 0}


@app.get("/series/{site_id}")
async def series(site_id: str, start: str, end: str, resolution: str) -> Response:
    """Hours alone, and as wattstream answers them, a point for each hour; of the range as a pair of whole hours."""
    if resolution != "hour":
        raise HTTPException(400, "This server has hours alone.")
    number, first_seen, last_seen = site_named(site_id)
    hours = hours_of(start, end)
    if len(hours) > POINTS_MAX:
        raise HTTPException(400, f"An answer has at most {POINTS_MAX} points.")
    points = [
        {
            "start": hour,
            "energy_generated_kwh": generated / MILLIWATT_HOURS_PER_KWH,
            "energy_consumed_kwh": consumed / MILLIWATT_HOURS_PER_KWH,
            "net_energy_kwh": (generated - consumed) / MILLIWATT_HOURS_PER_KWH,
            "records": records,
            "anomalies": anomalies,
        }
        for hour, generated, consumed, records, anomalies in database.execute(HOURS, (number, start, end))
    ]
    if len(points) < len(hours):
        found = {point["start"]: point for point in points}
        points = [found.get(hour) or gap(hour) for hour in hours]
    return answer(
        {
            "site_id": site_id,
            "resolution": resolution,
            "start": start,
            "end": end,
            "first_seen": first_seen,
            "last_seen": last_seen,
            "points": points,
        }
    )
