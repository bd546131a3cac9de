"""Deletes every version of every object of a bucket: empty_bucket.py ENDPOINT BUCKET. Prints {"deleted": COUNT}."""

import json
import sys

import boto3

endpoint, bucket = sys.argv[1:]
s3 = boto3.client("s3", endpoint_url=endpoint)
deleted = 0
for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
    versions = page.get("Versions", []) + page.get("DeleteMarkers", [])
    found = [{"Key": version["Key"], "VersionId": version["VersionId"]} for version in versions]
    if found:
        s3.delete_objects(Bucket=bucket, Delete={"Objects": found, "Quiet": True})
    deleted += len(found)
json.dump({"deleted": deleted}, sys.stdout)
