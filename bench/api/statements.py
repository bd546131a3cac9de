"""What both servers in Python ask SQLite, and the limits of their answers."""

RECORDS_DEFAULT, RECORDS_MAX = 100, 10_000
POINTS_MAX = 10_000
MILLIWATT_HOURS_PER_KWH = 1_000_000

SITE = "SELECT site, first_seen, last_seen FROM sites WHERE site_id = ?"
SITES = """
SELECT site_id, records, anomalies, high_limit, missing_interval, negative_energy, repeated_value, generated, consumed,
    first_seen, last_seen
FROM sites ORDER BY site_id
"""
RECORDS = """
SELECT timestamp, generated, consumed, findings FROM readings
WHERE site = ? AND timestamp >= ? AND timestamp < ? ORDER BY timestamp LIMIT ?
"""
HOURS = "SELECT start, generated, consumed, records, anomalies FROM hours WHERE site = ? AND start >= ? AND start < ? ORDER BY start"
