"""A fleet's readings, as files that `wattstream ingest` takes: make_data.py DIR [--sites 1000] [--days 365] [--seed 1].

What must always hold: the same arguments give the same bytes; no site has two readings of one instant. Every site reports by the
hour. Half of them are PV farms and half are homes with a roof, all under one sky: the sun's height by day and hour, clouds by site and
day. About one reading in 2,000 is wrong in a way that the detector knows: negative, far too high, stuck, or missing.
"""
import argparse
import gzip
import math
import random
from datetime import datetime, timedelta, timezone
from pathlib import Path

FIRST_INSTANT = datetime(2025, 1, 1, tzinfo=timezone.utc)
HEADER = "site_id,timestamp,energy_generated_kwh,energy_consumed_kwh\n"
SITES_PER_FILE = 100
LATITUDE_DEGREES = 48.0
FAULTS_PER_READING = 1 / 2_000
STUCK_HOURS = 8

# What a home uses in each hour of the day (UTC), as a multiple of its mean.
HOME_DAY = [.5, .45, .4, .4, .45, .6, 1.0, 1.4, 1.3, 1.0, .9, .95, 1.1, 1.0, .9, .9, 1.1, 1.5, 1.9, 2.0, 1.8, 1.4, .9, .65]


def site_id(number: int) -> str:
    return f"{'farm' if number % 2 == 0 else 'home'}-{number:04d}"


def instants(days: int) -> list[str]:
    hours = (FIRST_INSTANT + timedelta(hours=hour) for hour in range(24 * days))
    return [hour.strftime("%Y-%m-%dT%H:%M:%SZ") for hour in hours]


def sun_heights(days: int) -> list[float]:
    """The sine of the sun's height in the middle of each hour, 0 at night."""
    latitude = math.radians(LATITUDE_DEGREES)
    heights = []
    for day in range(days):
        declination = math.radians(-23.44) * math.cos(2 * math.pi * (day + 10) / 365)
        for hour in range(24):
            angle = math.radians(15 * (hour + .5 - 12))
            height = math.sin(latitude) * math.sin(declination) + math.cos(latitude) * math.cos(declination) * math.cos(angle)
            heights.append(max(0.0, height))
    return heights


def curve(number: int, seed: int, heights: list[float]) -> list[tuple[int, int] | None]:
    """Generated and consumed watt-hours of each hour; None where no reading came."""
    draw = random.Random(f"{seed}/{number}")
    is_farm = number % 2 == 0
    peak_wh = draw.uniform(200_000, 5_000_000) if is_farm else draw.uniform(3_000, 12_000)
    mean_use_wh = peak_wh * .002 if is_farm else draw.uniform(250, 900)
    readings: list[tuple[int, int] | None] = []
    clearness = .6
    for hour, height in enumerate(heights):
        if hour % 24 == 0:
            clearness = min(1.0, max(.08, .6 * clearness + .4 * draw.random() * 1.3))
        noise = draw.random()
        generated = int(peak_wh * height * clearness * (.92 + .16 * noise))
        shape = 1.0 if is_farm else HOME_DAY[hour % 24]
        consumed = int(mean_use_wh * shape * (.7 + .6 * draw.random()))
        readings.append((generated, consumed))
    spoil(readings, draw, int(peak_wh))
    return readings


def spoil(readings: list[tuple[int, int] | None], draw: random.Random, peak_wh: int) -> None:
    """Plants the faults of a site."""
    for _ in range(round(len(readings) * FAULTS_PER_READING * draw.uniform(.5, 1.5))):
        hour = draw.randrange(len(readings))
        reading = readings[hour]
        if reading is None:
            continue
        generated, consumed = reading
        match draw.choice(("negative", "high", "stuck", "missing")):
            case "negative":
                readings[hour] = (-1 - generated // 3, consumed)
            case "high":
                readings[hour] = (peak_wh * 6, consumed)
            case "stuck":
                for later in range(hour, min(hour + STUCK_HOURS, len(readings))):
                    readings[later] = (generated, consumed + 1)
            case "missing":
                # A site is about the same readings from its first hour to its last.
                for later in range(max(1, hour), min(hour + draw.randrange(1, 5), len(readings) - 1)):
                    readings[later] = None


def kwh(watt_hours: int) -> str:
    sign, watt_hours = ("-", -watt_hours) if watt_hours < 0 else ("", watt_hours)
    return f"{sign}{watt_hours // 1000}.{watt_hours % 1000:03d}"


def lines(numbers: range, seed: int, days: int):
    """Hour by hour, as a fleet reports."""
    heights = sun_heights(days)
    curves = [(site_id(number), curve(number, seed, heights)) for number in numbers]
    for hour, instant in enumerate(instants(days)):
        for site, readings in curves:
            reading = readings[hour]
            if reading is not None:
                yield f"{site},{instant},{kwh(reading[0])},{kwh(reading[1])}\n"


def write(path: Path, numbers: range, seed: int, days: int) -> None:
    unfinished = path.with_suffix(".unfinished")
    # No name and no time in the header of gzip: the bytes are a function of the arguments.
    with open(unfinished, "wb") as file, gzip.GzipFile("", "wb", compresslevel=1, fileobj=file, mtime=0) as packed:
        packed.write(HEADER.encode())
        packed.writelines(line.encode() for line in lines(numbers, seed, days))
    unfinished.rename(path)


def make(folder: Path, sites: int, days: int, seed: int) -> list[Path]:
    """The files, made where they are not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for first in range(0, sites, SITES_PER_FILE):
        path = folder / f"readings-{first:04d}.csv.gz"
        if not path.exists():
            write(path, range(first, min(first + SITES_PER_FILE, sites)), seed, days)
        paths.append(path)
    return paths


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dir", type=Path)
    parser.add_argument("--sites", type=int, default=1_000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    for path in make(args.dir, args.sites, args.days, args.seed):
        print(path)


if __name__ == "__main__":
    main()
