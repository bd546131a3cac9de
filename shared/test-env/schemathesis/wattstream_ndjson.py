"""How schemathesis writes a body of one JSON document a line."""

import json

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def lines(_context, value):
    """The examples are whole bodies; what is generated is one reading, or anything else."""
    if isinstance(value, str):
        return value.encode()
    return json.dumps(value).encode() + b"\n"
