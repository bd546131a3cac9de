"""Measures powertools_handler.py: measure.py EVENT ROUNDS prints {"cpu_ns_per_record", "requests"} as JSON.

An invocation begins with the event as bytes, as Lambda's Python runtime has it. The first rounds warm up and do not count;
the best of the others does, so that another process on the machine does not.
"""
import json
import sys
import time

from powertools_handler import Handler

WARM_UP_ROUNDS = 3


def main() -> None:
    path, rounds = sys.argv[1], int(sys.argv[2])
    with open(path, "rb") as file:
        event = file.read()
    handler = Handler(table="readings")
    best = None
    requests = []
    for number in range(WARM_UP_ROUNDS + rounds):
        begun = time.process_time_ns()
        requests = handler.handle(json.loads(event))
        spent = time.process_time_ns() - begun
        if number >= WARM_UP_ROUNDS:
            best = spent if best is None else min(best, spent)
    records = len(json.loads(event)["Records"])
    json.dump({"cpu_ns_per_record": best / records, "requests": requests}, sys.stdout)


if __name__ == "__main__":
    main()
