"""Totals of CSV files of readings, counted by code that shares nothing with the engine.

Reads gzipped CSV files, keeps the last value of every (site, instant), and prints a JSON object: per site the number of
readings and the sums of generated and consumed energy in whole milliwatt-hours, rounded half to even on the decimal as
written. Lines that hold NaN are counted apart.
usage: oracle.py FILE..."""

import csv
import datetime
import decimal
import gzip
import json
import sys

decimal.getcontext().prec = 60


def milliwatt_hours(text):
    return int(decimal.Decimal(text).scaleb(6).to_integral_value(rounding=decimal.ROUND_HALF_EVEN))


readings, not_finite = {}, 0
for path in sys.argv[1:]:
    with gzip.open(path, "rt", newline="") as lines:
        for row in csv.DictReader(lines):
            generated, consumed = row["energy_generated_kwh"], row["energy_consumed_kwh"]
            if "nan" in (generated.lower(), consumed.lower()):
                not_finite += 1
                continue
            instant = datetime.datetime.fromisoformat(row["timestamp"].replace("Z", "+00:00"))
            readings[row["site_id"], instant] = milliwatt_hours(generated), milliwatt_hours(consumed)

sites = {}
for (site_id, _), (generated, consumed) in readings.items():
    site = sites.setdefault(site_id, {"records": 0, "generated": 0, "consumed": 0})
    site["records"] += 1
    site["generated"] += generated
    site["consumed"] += consumed
json.dump({"sites": sites, "not_finite": not_finite}, sys.stdout)
