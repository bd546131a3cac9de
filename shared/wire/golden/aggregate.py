"""Prints the golden aggregate: `python3 aggregate.py > aggregate.hex`.

Written against aggregation-format.md of awslabs/amazon-kinesis-producer, with nothing but the standard library, so that
it shares no code with what it checks.
"""

import hashlib

MAGIC = bytes([0xF3, 0x89, 0x9A, 0xC2])


def varint(number):
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def number_field(tag, number):
    return varint(tag << 3) + varint(number)


def bytes_field(tag, value):
    return varint(tag << 3 | 2) + varint(len(value)) + value


def record(key_index, data, hash_key_index=None, tags=()):
    out = number_field(1, key_index)
    if hash_key_index is not None:
        out += number_field(2, hash_key_index)
    out += bytes_field(3, data)
    for key, value in tags:
        out += bytes_field(4, bytes_field(1, key) + bytes_field(2, value))
    return out


def aggregate(keys, hash_keys, records):
    message = b"".join(bytes_field(1, key) for key in keys)
    message += b"".join(bytes_field(2, hash_key) for hash_key in hash_keys)
    message += b"".join(bytes_field(3, entry) for entry in records)
    return MAGIC + message + hashlib.md5(message).digest()


# What our own aggregator writes for the same payloads: no hash keys, no tags.
plain = aggregate(
    [b"site-alpha", b"site-beta"],
    [],
    [record(0, b'{"a":1}'), record(1, b'{"b":2}'), record(0, b"")],
)

# What a producer may also write: hash keys, a key that repeats, tags, a payload longer than one length byte can say.
full = aggregate(
    [b"a", b"a"],
    [b"0", b"340282366920938463463374607431768211455"],
    [
        record(0, b"x" * 200, hash_key_index=1),
        record(1, b'{"b":2}', hash_key_index=0, tags=[(b"unit", b"kWh")]),
    ],
)

print(plain.hex())
print(full.hex())
