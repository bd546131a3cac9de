#!/usr/bin/env python3
"""A function for the tests of what runs functions. Its n-th invocation does the n-th act of ACTS, later ones reply null.

It appends the numbers of the records that it was invoked with to the file COUNTER, a line an invocation.
"""
import json
import os
import sys
import time
import urllib.request

API = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime"
ACTS = json.loads(os.environ["ACTS"])


def post(path, body):
    urllib.request.urlopen(urllib.request.Request(API + path, data=body.encode())).read()


def numbers_of(event):
    return [record["kinesis"]["sequenceNumber"] for record in event["Records"]]


def count_in(numbers):
    with open(os.environ["COUNTER"], "a+") as counter:
        counter.write(" ".join(numbers) + "\n")
        counter.seek(0)
        return len(counter.readlines())


def act(request_id, numbers, act):
    if "exit" in act:
        print("the function ends", flush=True)
        os._exit(act["exit"])
    if "hang" in act:
        time.sleep(3_600)
    if "error" in act:
        report = {"errorType": "Function.Error", "errorMessage": act["error"]}
        return post(f"/invocation/{request_id}/error", json.dumps(report))
    reply = act.get("reply", "null")
    for place, number in enumerate(numbers):
        reply = reply.replace(f"${place}", number)
    post(f"/invocation/{request_id}/response", reply)


if "REFUSE_TO_START" in os.environ:
    post("/init/error", json.dumps({"errorType": "Runtime.Unknown", "errorMessage": os.environ["REFUSE_TO_START"]}))
    sys.exit(1)
while True:
    with urllib.request.urlopen(API + "/invocation/next") as invocation:
        request_id = invocation.headers["Lambda-Runtime-Aws-Request-Id"]
        assert int(invocation.headers["Lambda-Runtime-Deadline-Ms"]) > time.time() * 1_000
        numbers = numbers_of(json.load(invocation))
    number = count_in(numbers)
    act(request_id, numbers, ACTS[number - 1] if number <= len(ACTS) else {})
