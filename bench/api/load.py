"""Load from oha: at a fixed rate whether or not the server keeps up, and as fast as the server answers.

What must always hold: a run in which any request failed counts for nothing. At a fixed rate a request's time begins when it is due
(`--latency-correction`), so that a server that stands still is not measured by the few requests that a waiting client would send.
"""
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from servers import Server

CONNECTIONS = 16


@dataclass
class Load:
    requests: int
    p50_ms: float
    p99_ms: float
    max_ms: float
    requests_per_second: float
    # Of the server.
    cpu_ms_per_request: float
    body_bytes: int


@dataclass
class Asking:
    """Who asks, and what: one of the addresses at random for each request."""

    oha: Path
    server: Server
    paths: list[str]

    def at_rate(self, rate: int, seconds: int) -> Load:
        """`rate` requests a second. Of a server that falls behind, the requests that it has answered in this time."""
        return self.run("-q", str(rate), "--latency-correction", "-z", f"{seconds}s", "--wait-ongoing-requests-after-deadline")

    def as_fast_as_it_answers(self, seconds: int) -> Load:
        return self.run("-z", f"{seconds}s", "--wait-ongoing-requests-after-deadline")

    def run(self, *options: str) -> Load:
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as urls:
            urls.writelines(f"{self.server.url}{path}\n" for path in self.paths)
            urls.flush()
            # Compressing is no part of the comparison: the servers in Python do not.
            common = ["-c", str(CONNECTIONS), "--disable-compression", "--no-tui", "--output-format", "json", "--urls-from-file", urls.name]
            before = self.server.cpu_seconds()
            told = subprocess.run([self.oha, *options, *common], stdout=subprocess.PIPE, check=True).stdout
            cpu_seconds = self.server.cpu_seconds() - before
        return load_of(json.loads(told), cpu_seconds)


def load_of(told: dict, cpu_seconds: float) -> Load:
    summary, percentiles = told["summary"], told["latencyPercentiles"]
    if told["errorDistribution"] or set(told["statusCodeDistribution"]) != {"200"}:
        sys.exit(f"not every request was answered: {told['statusCodeDistribution']}, {told['errorDistribution']}")
    requests = told["statusCodeDistribution"]["200"]
    return Load(
        requests=requests,
        p50_ms=percentiles["p50"] * 1_000,
        p99_ms=percentiles["p99"] * 1_000,
        max_ms=summary["slowest"] * 1_000,
        requests_per_second=summary["requestsPerSec"],
        cpu_ms_per_request=cpu_seconds * 1_000 / requests,
        body_bytes=summary["sizePerRequest"],
    )
