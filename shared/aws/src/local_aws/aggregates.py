"""Takes aggregates apart and makes some, with AWS's own library for Python.

Reads lines of JSON. {"deaggregate": RECORD} prints the payloads of a record, {"aggregate": [[KEY, PAYLOAD], ...]} a
record of these payloads; records and payloads are base64.
"""

import base64
import json
import sys

from aws_kinesis_agg.aggregator import RecordAggregator
from aws_kinesis_agg.deaggregator import deaggregate_records


def text(data):
    return base64.b64encode(data).decode()


def deaggregate(record):
    envelope = {
        "kinesisSchemaVersion": "1.0",
        "sequenceNumber": "1",
        "approximateArrivalTimestamp": 1.0,
        "partitionKey": "outer",
        "data": record,
    }
    found = deaggregate_records({"kinesis": envelope})
    return [[user["kinesis"]["partitionKey"], base64.b64decode(user["kinesis"]["data"])] for user in found]


def aggregate(payloads):
    aggregator = RecordAggregator()
    for key, payload in payloads:
        full = aggregator.add_user_record(key, base64.b64decode(payload))
        assert full is None, "the test sends no more than one aggregate holds"
    return aggregator.clear_and_get().get_contents()[2]


for line in sys.stdin:
    question = json.loads(line)
    if "deaggregate" in question:
        answer = [[key, text(payload)] for key, payload in deaggregate(question["deaggregate"])]
    else:
        answer = text(aggregate(question["aggregate"]))
    print(json.dumps(answer))
