"""What the stream holds, and whether all of it is in the archive: archive.py ENDPOINT STREAM BUCKET FILE.

Reads every record of the stream and every object of the archive, which the local Firehose writes a record at a time, as it
is. Then it finishes there what AWS's Firehose does and the local one does not: it takes aggregates apart (with AWS's own
code), ends each payload with a newline, joins those of an hour, and compresses them.

Writes the payloads into FILE, a line each, in the order of the stream. Prints {"records": COUNT, "last": {SHARD: NUMBER}}.
"""

import base64
import collections
import concurrent.futures
import datetime
import gzip
import json
import re
import sys

import boto3
import botocore.config
from aws_kinesis_agg.deaggregator import deaggregate_records

endpoint, stream, bucket, file = sys.argv[1:]
READERS = 8
KEY = re.compile(r"raw/year=(\d{4})/month=(\d\d)/day=(\d\d)/hour=(\d\d)/[\w.-]+-\d{4}(-\d\d){5}-[\w.-]+")

kinesis = boto3.client("kinesis", endpoint_url=endpoint)
s3 = boto3.client("s3", endpoint_url=endpoint, config=botocore.config.Config(max_pool_connections=READERS))


def records(shard):
    ask = {"StreamName": stream, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"}
    iterator = kinesis.get_shard_iterator(**ask)["ShardIterator"]
    while iterator:
        answer = kinesis.get_records(ShardIterator=iterator, Limit=10_000)
        yield from answer["Records"]
        if not answer["Records"] and answer["MillisBehindLatest"] == 0:
            return
        iterator = answer.get("NextShardIterator")


def payloads(record):
    event = {
        "kinesisSchemaVersion": "1.0",
        "sequenceNumber": record["SequenceNumber"],
        "partitionKey": record["PartitionKey"],
        "approximateArrivalTimestamp": record["ApproximateArrivalTimestamp"],
        "data": base64.b64encode(record["Data"]),
    }
    return [base64.b64decode(part["kinesis"]["data"]) for part in deaggregate_records([{"kinesis": event}])]


def read(key):
    if not KEY.fullmatch(key):
        sys.exit(f"{key} is no name of an archive object")
    return s3.get_object(Bucket=bucket, Key=key)["Body"].read()


def shown(counter):
    return [(data[:120], count) for data, count in counter.most_common(3)]


of_shards = {
    shard["ShardId"]: list(records(shard["ShardId"])) for shard in kinesis.list_shards(StreamName=stream)["Shards"]
}
in_stream = [record for of_shard in of_shards.values() for record in of_shard]

pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
with concurrent.futures.ThreadPoolExecutor(READERS) as readers:
    objects = collections.Counter(readers.map(read, keys))
expected = collections.Counter(record["Data"] for record in in_stream)
if objects != expected:
    missing, unknown = shown(expected - objects), shown(objects - expected)
    sys.exit(f"the archive is not what the stream is: it lacks {missing}, and has besides {unknown}")

hours = collections.defaultdict(list)
for record in in_stream:
    arrival = record["ApproximateArrivalTimestamp"].astimezone(datetime.timezone.utc)
    hours[arrival.strftime("%Y-%m-%d-%H")] += payloads(record)
for key in keys:
    s3.delete_object(Bucket=bucket, Key=key)
for hour, lines in hours.items():
    if any(b"\n" in line for line in lines):
        sys.exit("a payload with a line end cannot be a line of the archive")
    year, month, day, hour_of_day = hour.split("-")
    folder = f"raw/year={year}/month={month}/day={day}/hour={hour_of_day}"
    body = gzip.compress(b"".join(line + b"\n" for line in lines))
    s3.put_object(Bucket=bucket, Key=f"{folder}/{stream}-1-{hour}-00-00-joined.gz", Body=body)

with open(file, "wb") as out:
    for lines in hours.values():
        out.writelines(line + b"\n" for line in lines)
last = {shard: of_shard[-1]["SequenceNumber"] for shard, of_shard in of_shards.items() if of_shard}
json.dump({"records": len(in_stream), "last": last}, sys.stdout)
