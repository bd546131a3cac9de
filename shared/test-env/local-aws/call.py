"""One call to the local AWS with boto3, as `aws SERVICE OPERATION` would make it: the tests set a stand up with it, and look
into it, without a line of ours between.

    call.py ENDPOINT SERVICE OPERATION PARAMETERS

PARAMETERS is JSON; an object {"@file": PATH} in it stands for the bytes of that file. OPERATION may be `wait:NAME`, for a waiter of
boto3. The answer is printed as JSON, bytes and bodies as text.
"""

import json
import sys

import boto3


def resolved(value):
    if isinstance(value, dict):
        if set(value) == {"@file"}:
            with open(value["@file"], "rb") as file:
                return file.read()
        return {key: resolved(inner) for key, inner in value.items()}
    return [resolved(inner) for inner in value] if isinstance(value, list) else value


def printable(value):
    value = value.read() if hasattr(value, "read") else value
    return value.decode() if isinstance(value, bytes) else str(value)


endpoint, service, operation, parameters = sys.argv[1:]
client = boto3.client(service, endpoint_url=endpoint)
parameters = resolved(json.loads(parameters))
if operation.startswith("wait:"):
    answer = client.get_waiter(operation.removeprefix("wait:")).wait(**parameters)
else:
    answer = getattr(client, operation)(**parameters)
json.dump(answer, sys.stdout, default=printable)
