"""The servers that are measured: how each is started, where it answers, how much processor time it has had.

What must always hold: one runs at a time, on a port that the system chose, and is ended by the process that started it; the processor
time of a server is that of its process and of every process below it.
"""
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 30


@dataclass
class Server:
    name: str
    url: str
    process: subprocess.Popen

    def cpu_seconds(self) -> float:
        """Processor time so far, of the process and all of its descendants."""
        ticks = sum(ticks_of(pid) for pid in [self.process.pid, *descendants(self.process.pid)])
        return ticks / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def wattstream(binary: Path, data_dir: Path):
    """`wattstream up` on a folder, and nothing but its API at work: no simulator, no watch for silent sites."""
    command = [binary, "up", "--no-simulator", "--silent-after", "0", "--listen", "127.0.0.1:0", "--data-dir", data_dir]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        url = process.stdout.readline().strip()
        if not url.startswith("http://"):
            sys.exit(f"wattstream did not start: it printed {url!r}, not its address")
        yield answering(Server("wattstream", url, process), "/readyz")
    finally:
        stop(process)


@contextlib.contextmanager
def fastapi(name: str, module: str, python: Path, database: Path, workers: int):
    """A server in Python with uvicorn, as it is run in production."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [python, "-m", "uvicorn", f"{module}:app", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", str(workers), "--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
    process = subprocess.Popen(command, cwd=HERE, env=os.environ | {"BENCH_DATABASE": str(database)})
    try:
        yield answering(Server(name, f"http://127.0.0.1:{port}", process), "/summary")
    finally:
        stop(process)


def answering(server: Server, path: str) -> Server:
    """The server, once it answers."""
    began = time.monotonic()
    while server.process.poll() is None and time.monotonic() - began < START_SECONDS_MAX:
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            with urllib.request.urlopen(server.url + path) as answer:
                answer.read()
                return server
        time.sleep(.1)
    sys.exit(f"{server.name} does not answer at {server.url}{path}")


def stop(process: subprocess.Popen) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def stat_of(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the name, which may have spaces in it; see proc_pid_stat(5)."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def ticks_of(pid: int) -> int:
    user, system = stat_of(pid)[11:13]
    return int(user) + int(system)


def descendants(pid: int) -> list[int]:
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                parents.setdefault(int(stat_of(int(entry.name))[1]), []).append(int(entry.name))
    found, waiting = [], [pid]
    while waiting:
        children = parents.get(waiting.pop(), [])
        found += children
        waiting += children
    return found
