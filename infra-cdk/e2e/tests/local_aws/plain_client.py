"""Sends records to a stream with PutRecords, as a client does that does not aggregate: plain_client.py ENDPOINT STREAM FILE.

FILE has a JSON object a line: {"partition_key": TEXT, "data": BASE64}. Prints {"sent": COUNT}.
"""

import base64
import json
import sys

import boto3

# PutRecords takes no more.
ENTRIES_MAX = 500

endpoint, stream, file = sys.argv[1:]
kinesis = boto3.client("kinesis", endpoint_url=endpoint)
with open(file) as lines:
    records = [json.loads(line) for line in lines]
entries = [{"PartitionKey": record["partition_key"], "Data": base64.b64decode(record["data"])} for record in records]
for at in range(0, len(entries), ENTRIES_MAX):
    answer = kinesis.put_records(StreamName=stream, Records=entries[at : at + ENTRIES_MAX])
    if answer["FailedRecordCount"]:
        sys.exit(f"not everything was taken: {answer}")
json.dump({"sent": len(entries)}, sys.stdout)
