"""wattstream's query API against FastAPI and SQLite over the same rows: python3 bench/api/run.py [--sites 1000] [--days 365]

Makes what is not there yet (below target/: the load tool, a virtual environment, the readings, both stores), finds out whether all
servers give the same answers, and measures them one after the other. README.md says what is measured. Prints a table; the last run
stands in target/bench-api/SITESxDAYS/result.json.
"""
import argparse
import json
import os
import random
import subprocess
import sys
import urllib.request
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

import make_data
import servers
from load import Asking, Load

ROOT = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).absolute()
OHA_VERSION = "1.16.0"
SEED = 1
RATE = 200
SAMPLED_SITES = 20
# A rate that is asked for before anything counts: caches fill, and threads start.
WARM_UP_SECONDS = 2


@dataclass
class Question:
    """Something that both servers are asked, and what wattstream is meant to reach."""

    name: str
    # Its addresses, of which each request takes one.
    paths: list[str]
    p99_ms_asked: float


OURS = "wattstream"
# Name and module. Ten times the throughput of the first is asked.
RIVALS = {"FastAPI": "fastapi_plain", "FastAPI, tuned": "fastapi_tuned"}


def text_of(hours: int) -> str:
    return (make_data.FIRST_INSTANT + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def questions(site_ids: list[str], days: int) -> list[Question]:
    draw = random.Random(SEED)

    def day_of(site_id: str) -> str:
        day = draw.randrange(days)
        return f"/records/{site_id}?start={text_of(24 * day)}&end={text_of(24 * (day + 1))}"

    whole = f"resolution=hour&start={text_of(0)}&end={text_of(24 * days)}"
    return [
        Question("/summary", ["/summary"], 10),
        Question("/records, a day", [day_of(site_id) for site_id in site_ids for _ in range(10)], 10),
        Question(f"/series, {days} days of hours", [f"/series/{site_id}?{whole}" for site_id in site_ids], 25),
    ]


class Kit:
    """What is made once: tools, readings, both stores."""

    def __init__(self, args: argparse.Namespace):
        self.folder = TARGET / "bench-api" / f"{args.sites}x{args.days}"
        self.site_ids = [make_data.site_id(number) for number in range(args.sites)]
        self.workers = args.workers
        self.oha = TARGET / "tools" / "bin" / "oha"
        self.python = TARGET / "bench-api" / "venv" / "bin" / "python"
        self.binary = TARGET / "release" / "wattstream"
        self.data_dir = self.folder / "wattstream"
        self.database = self.folder / "readings.sqlite"
        self.make_tools()
        self.make_stores(make_data.make(self.folder / "csv", args.sites, args.days, SEED))

    def make_tools(self) -> None:
        say("building wattstream")
        run("cargo", "build", "--release", "--locked", "-p", "wattstream", cwd=ROOT)
        if not self.oha.exists():
            say("building oha")
            # Its own time is not what is measured. It does not compile without TLS.
            quick = {"CARGO_PROFILE_RELEASE_LTO": "off", "CARGO_PROFILE_RELEASE_CODEGEN_UNITS": "16"}
            install = ("cargo", "install", "oha", "--version", OHA_VERSION, "--locked")
            run(*install, "--root", TARGET / "tools", cwd=ROOT, env=os.environ | quick)
        if not self.python.exists():
            say("making the virtual environment")
            run(sys.executable, "-m", "venv", self.python.parents[1])
        requirements = servers.HERE / "requirements.txt"
        run(self.python, "-m", "pip", "install", "--quiet", "--only-binary", ":all:", "--requirement", requirements)

    def make_stores(self, files: list[Path]) -> None:
        if not self.data_dir.exists():
            say("filling wattstream's store")
            unfinished = self.data_dir.with_suffix(".unfinished")
            run(self.binary, "ingest", "--data-dir", unfinished, *files)
            unfinished.rename(self.data_dir)
        if not self.database.exists():
            say("filling SQLite")
            with self.wattstream() as server:
                run(self.python, servers.HERE / "load_sqlite.py", self.database, server.url, *files)

    def wattstream(self):
        return servers.wattstream(self.binary, self.data_dir)

    def rival(self, name: str):
        return servers.fastapi(name, RIVALS[name], self.python, self.database, self.workers)


def say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


def run(*command, **options) -> None:
    subprocess.run(command, check=True, **options)


def bodies(server: servers.Server, asked: list[str]) -> list:
    answers = []
    for path in asked:
        with urllib.request.urlopen(server.url + path) as answer:
            answers.append(json.load(answer))
    return answers


def compare(kit: Kit, asked: list[Question]) -> None:
    """A benchmark of different answers would be none."""
    draw = random.Random(SEED)
    sample = [path for question in asked for path in draw.sample(question.paths, min(SAMPLED_SITES, len(question.paths)))]
    with kit.wattstream() as server:
        ours = bodies(server, sample)
    for name in RIVALS:
        with kit.rival(name) as server:
            theirs = bodies(server, sample)
        for path, our, their in zip(sample, ours, theirs):
            if our != their:
                sys.exit(f"{OURS} and {name} differ about {path}: {difference(our, their)}")
    say(f"all servers answer alike to {len(sample)} questions")


def difference(ours, theirs, place: str = "") -> str:
    """The first place where two answers differ."""
    if isinstance(ours, dict) and isinstance(theirs, dict) and ours.keys() == theirs.keys():
        pairs = [(f"{place}.{key}", ours[key], theirs[key]) for key in ours]
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        pairs = [(f"{place}[{index}]", one, other) for index, (one, other) in enumerate(zip(ours, theirs))]
    else:
        return f"{place} is {str(ours)[:200]} and {str(theirs)[:200]}"
    return next(difference(one, other, where) for where, one, other in pairs if one != other)


@dataclass
class Measured:
    at_rate: Load
    at_most: Load


def measure(server: servers.Server, kit: Kit, asked: list[Question], seconds: int) -> dict[str, Measured]:
    measured = {}
    for question in asked:
        say(f"asking {server.name}: {question.name}")
        asking = Asking(kit.oha, server, question.paths)
        asking.at_rate(RATE // 4, WARM_UP_SECONDS)
        measured[question.name] = Measured(asking.at_rate(RATE, seconds), asking.as_fast_as_it_answers(seconds))
    return measured


def table(asked: list[Question], measured: dict[str, dict[str, Measured]]) -> str:
    lines = [
        f"| query | server | p50 ms at {RATE}/s | p99 | max | asked | most requests/s | CPU ms a request |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for question in asked:
        our = measured[OURS][question.name]
        for name, of in measured.items():
            rate, most = of[question.name].at_rate, of[question.name].at_most
            times = f"{rate.p50_ms:.2f} | {rate.p99_ms:.2f} | {rate.max_ms:.1f} | {question.p99_ms_asked if name == OURS else ''}"
            ratio = cpu_ratio = ""
            if name != OURS:
                ratio = f" (1/{our.at_most.requests_per_second / most.requests_per_second:.1f})"
                cpu_ratio = f" ({most.cpu_ms_per_request / our.at_most.cpu_ms_per_request:.1f} x)"
            lines.append(
                f"| {question.name} | {name} | {times} | {most.requests_per_second:.0f}{ratio} | {most.cpu_ms_per_request:.3f}{cpu_ratio} |"
            )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sites", type=int, default=1_000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--seconds", type=int, default=15, help="of each measurement")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="of uvicorn; as many as wattstream has threads")
    parser.add_argument("--check-only", action="store_true", help="compare the answers, measure nothing")
    args = parser.parse_args()
    kit = Kit(args)
    asked = questions(kit.site_ids, args.days)
    compare(kit, asked)
    if args.check_only:
        return
    measured = {}
    for name in (OURS, *RIVALS):
        with kit.wattstream() if name == OURS else kit.rival(name) as server:
            measured[name] = measure(server, kit, asked, args.seconds)
    print(table(asked, measured))
    result = {name: {key: asdict(it) for key, it in of.items()} for name, of in measured.items()}
    (kit.folder / "result.json").write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
