"""Kinesis: where a record goes, how a shard is read, and what becomes of a shard that is split or merged."""

import hashlib
import time

from rules import refused, rule

HASH_KEYS = 2**128


def new_stream(aws, shards=4):
    name = aws.new_name()
    aws.kinesis.create_stream(StreamName=name, ShardCount=shards)
    wait_until_active(aws, name)
    return name


def wait_until_active(aws, stream):
    for _ in range(1000):
        summary = aws.kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]
        if summary["StreamStatus"] == "ACTIVE":
            return
        time.sleep(0.01)
    raise AssertionError("the stream does not become active")


def shards_of(aws, stream, **more):
    return aws.kinesis.list_shards(StreamName=stream, **more)["Shards"]


def ids(shards):
    return [shard["ShardId"] for shard in shards]


def hash_range(shard):
    keys = shard["HashKeyRange"]
    return int(keys["StartingHashKey"]), int(keys["EndingHashKey"])


def put(aws, stream, data, **more):
    return aws.kinesis.put_record(StreamName=stream, Data=data, **{"PartitionKey": "key", **more})


def put_to_each(aws, stream, data):
    """One record to each open shard."""
    for shard in shards_of(aws, stream, ShardFilter={"Type": "AT_LATEST"}):
        put(aws, stream, data, ExplicitHashKey=str(hash_range(shard)[0]))


def iterator(aws, stream, shard, kind="TRIM_HORIZON", **more):
    answer = aws.kinesis.get_shard_iterator(
        StreamName=stream, ShardId=shard, ShardIteratorType=kind, **more
    )
    return answer["ShardIterator"]


def data(aws, stream, shard, *place, **more):
    page = aws.kinesis.get_records(ShardIterator=iterator(aws, stream, shard, *place, **more))
    return [record["Data"] for record in page["Records"]]


def split(aws, stream, shard):
    first, last = hash_range(shard)
    aws.kinesis.split_shard(
        StreamName=stream,
        ShardToSplit=shard["ShardId"],
        NewStartingHashKey=str((first + last) // 2 + 1),
    )
    wait_until_active(aws, stream)


def merge(aws, stream, shard, neighbour):
    aws.kinesis.merge_shards(
        StreamName=stream, ShardToMerge=shard["ShardId"], AdjacentShardToMerge=neighbour["ShardId"]
    )
    wait_until_active(aws, stream)


@rule()
def shards_cover_all_keys(aws):
    """The shards of a new stream share all hash keys between them, without a gap."""
    ranges = [hash_range(shard) for shard in shards_of(aws, new_stream(aws))]
    starts, ends = zip(*ranges)
    assert list(starts) == [0] + [end + 1 for end in ends[:-1]] and ends[-1] == HASH_KEYS - 1


@rule()
def record_goes_by_its_key(aws):
    """A record goes to the shard whose range holds the MD5 of its key, or its explicit hash key."""
    stream = new_stream(aws)
    shards = shards_of(aws, stream)

    def shard_for(hash_key):
        (shard,) = [s["ShardId"] for s in shards if hash_range(s)[0] <= hash_key <= hash_range(s)[1]]
        return shard

    for number in range(20):
        key = f"site-{number}"
        hash_key = int.from_bytes(hashlib.md5(key.encode()).digest(), "big")
        assert put(aws, stream, b"x", PartitionKey=key)["ShardId"] == shard_for(hash_key)
    records = [
        {"Data": b"x", "PartitionKey": "key", "ExplicitHashKey": str(hash_key)}
        for hash_key in (0, HASH_KEYS // 2, HASH_KEYS - 1)
    ]
    answer = aws.kinesis.put_records(StreamName=stream, Records=records)
    assert answer["FailedRecordCount"] == 0
    expected = [shard_for(int(record["ExplicitHashKey"])) for record in records]
    assert [entry["ShardId"] for entry in answer["Records"]] == expected


@rule()
def sequence_numbers(aws):
    """A sequence number has 56 digits, more than 128 bits hold, and the next of its shard is greater."""
    stream = new_stream(aws, shards=1)
    numbers = [put(aws, stream, b"x")["SequenceNumber"] for _ in range(3)]
    assert {len(number) for number in numbers} == {56} and numbers == sorted(numbers)
    assert int(numbers[0]) > HASH_KEYS


@rule()
def pages(aws):
    """Limit cuts a page and NextShardIterator goes on from there, at the end of an open shard too."""
    stream = new_stream(aws, shards=1)
    for number in range(5):
        put(aws, stream, str(number).encode())
    (shard,) = ids(shards_of(aws, stream))
    place, found = iterator(aws, stream, shard), []
    for _ in range(4):
        page = aws.kinesis.get_records(ShardIterator=place, Limit=2)
        found.append([record["Data"] for record in page["Records"]])
        place = page["NextShardIterator"]
    assert found == [[b"0", b"1"], [b"2", b"3"], [b"4"], []]
    put(aws, stream, b"5")
    assert [record["Data"] for record in aws.kinesis.get_records(ShardIterator=place)["Records"]] == [b"5"]


@rule()
def places(aws):
    """A reader starts at or after a record, at the oldest, or behind the newest."""
    stream = new_stream(aws, shards=1)
    numbers = [put(aws, stream, body)["SequenceNumber"] for body in (b"a", b"b")]
    (shard,) = ids(shards_of(aws, stream))
    at = {"StartingSequenceNumber": numbers[0]}
    assert data(aws, stream, shard) == [b"a", b"b"]
    assert data(aws, stream, shard, "AT_SEQUENCE_NUMBER", **at) == [b"a", b"b"]
    assert data(aws, stream, shard, "AFTER_SEQUENCE_NUMBER", **at) == [b"b"]
    assert data(aws, stream, shard, "LATEST") == []
    assert data(aws, stream, shard, "AT_TIMESTAMP", Timestamp=0) == [b"a", b"b"]


@rule()
def place_at_the_start_of_a_shard(aws):
    """A reader may start at the number that a shard starts with, which no record has."""
    stream = new_stream(aws, shards=1)
    put(aws, stream, b"a")
    (shard,) = shards_of(aws, stream)
    at = {"StartingSequenceNumber": shard["SequenceNumberRange"]["StartingSequenceNumber"]}
    assert data(aws, stream, shard["ShardId"], "AT_SEQUENCE_NUMBER", **at) == [b"a"]


@rule(broken_by=["kinesis-local"])
def place_between_records(aws):
    """A reader may start after a number that no record has."""
    stream = new_stream(aws, shards=1)
    number = put(aws, stream, b"a")["SequenceNumber"]
    put(aws, stream, b"b")
    (shard,) = ids(shards_of(aws, stream))
    after = {"StartingSequenceNumber": str(int(number) + 1)}
    assert data(aws, stream, shard, "AFTER_SEQUENCE_NUMBER", **after) == [b"b"]


@rule()
def split_shard(aws):
    """A split closes the parent and opens two children, which name it and share its range."""
    stream = new_stream(aws)
    parent = shards_of(aws, stream)[1]
    split(aws, stream, parent)
    shards = shards_of(aws, stream)
    assert len(shards) == 6
    children = [shard for shard in shards if shard.get("ParentShardId") == parent["ShardId"]]
    (low, high) = sorted(hash_range(child) for child in children)
    assert (low[0], high[1]) == hash_range(parent) and low[1] + 1 == high[0]
    assert all("AdjacentParentShardId" not in child for child in children)
    open_shards = ids(shards_of(aws, stream, ShardFilter={"Type": "AT_LATEST"}))
    assert parent["ShardId"] not in open_shards and len(open_shards) == 5


@rule()
def merge_shards(aws):
    """A merge closes both parents and opens one child, which names them and has both ranges."""
    stream = new_stream(aws)
    low, high = shards_of(aws, stream)[1:3]
    merge(aws, stream, low, high)
    child = shards_of(aws, stream)[-1]
    assert {child["ParentShardId"], child["AdjacentParentShardId"]} == {low["ShardId"], high["ShardId"]}
    assert hash_range(child) == (hash_range(low)[0], hash_range(high)[1])


@rule()
def closed_shards_are_read_to_their_end(aws):
    """A closed shard keeps its records; after the last there is no next iterator, but its children are named."""
    stream = new_stream(aws, shards=2)
    put_to_each(aws, stream, b"before")
    parent, neighbour = shards_of(aws, stream)
    place = iterator(aws, stream, parent["ShardId"])
    split(aws, stream, parent)
    low, high = [shard for shard in shards_of(aws, stream) if "ParentShardId" in shard]
    merge(aws, stream, high, neighbour)
    merged = shards_of(aws, stream)[-1]
    put_to_each(aws, stream, b"after")

    def read_to_the_end(place):
        found = []
        while place:
            page = aws.kinesis.get_records(ShardIterator=place)
            found += [record["Data"] for record in page["Records"]]
            place = page.get("NextShardIterator")
        return found, sorted(child["ShardId"] for child in page["ChildShards"])

    assert read_to_the_end(place) == ([b"before"], ids([low, high]))
    assert read_to_the_end(iterator(aws, stream, neighbour["ShardId"])) == ([b"before"], ids([merged]))
    assert read_to_the_end(iterator(aws, stream, high["ShardId"])) == ([], ids([merged]))
    assert data(aws, stream, low["ShardId"]) == data(aws, stream, merged["ShardId"]) == [b"after"]


@rule(broken_by=["kinesis-local"])
def end_of_a_closed_shard(aws):
    """A closed shard tells the number it ended with, which is not below that of its records."""
    stream = new_stream(aws, shards=1)
    last = put(aws, stream, b"x")["SequenceNumber"]
    (parent,) = shards_of(aws, stream)
    split(aws, stream, parent)
    ending = shards_of(aws, stream)[0]["SequenceNumberRange"]["EndingSequenceNumber"]
    assert int(ending) >= int(last), ending


@rule(broken_by=["kinesis-local"])
def start_of_a_merged_shard(aws):
    """A shard that was merged starts with a number above those of its parents' records."""
    stream = new_stream(aws, shards=2)
    parents = shards_of(aws, stream)
    last = put(aws, stream, b"x", ExplicitHashKey="0")["SequenceNumber"]
    merge(aws, stream, *parents)
    starting = shards_of(aws, stream)[-1]["SequenceNumberRange"]["StartingSequenceNumber"]
    assert int(starting) > int(last), starting


@rule()
def list_pages(aws):
    """MaxResults cuts the list of shards; the next page is asked for with its token and without the stream."""
    stream = new_stream(aws, shards=5)
    first = aws.kinesis.list_shards(StreamName=stream, MaxResults=3)
    rest = aws.kinesis.list_shards(NextToken=first["NextToken"])
    assert ids(first["Shards"] + rest["Shards"]) == ids(shards_of(aws, stream))
    with refused("InvalidArgumentException"):
        aws.kinesis.list_shards(StreamName=stream, NextToken=first["NextToken"])


@rule()
def update_shard_count(aws):
    """Doubling the shards closes each and opens two for it."""
    stream = new_stream(aws)
    aws.kinesis.update_shard_count(
        StreamName=stream, TargetShardCount=8, ScalingType="UNIFORM_SCALING"
    )
    wait_until_active(aws, stream)
    assert len(shards_of(aws, stream)) == 12
    assert len(shards_of(aws, stream, ShardFilter={"Type": "AT_LATEST"})) == 8


@rule()
def unknown_stream(aws):
    """A stream or shard that is not there is ResourceNotFoundException."""
    with refused("ResourceNotFoundException"):
        put(aws, "nowhere", b"x")
    with refused("ResourceNotFoundException"):
        iterator(aws, new_stream(aws), "shardId-000000000099")


@rule()
def page_limit(aws):
    """A page has at most 10,000 records."""
    stream = new_stream(aws, shards=1)
    place = iterator(aws, stream, "shardId-000000000000")
    with refused("InvalidArgumentException"):
        aws.kinesis.get_records(ShardIterator=place, Limit=10_001)


@rule(broken_by=["kinesis-local"])
def batch_count(aws):
    """PutRecords takes 500 records, not 501."""
    stream = new_stream(aws)
    with refused("InvalidArgumentException", "ValidationException"):
        aws.kinesis.put_records(
            StreamName=stream, Records=[{"Data": b"x", "PartitionKey": "key"}] * 501
        )


@rule()
def record_bytes(aws):
    """A record over 1 MiB is refused."""
    stream = new_stream(aws)
    with refused("InvalidArgumentException", "ValidationException"):
        put(aws, stream, b"x" * (2**20 + 1))


@rule(broken_by=["kinesis-local"])
def bad_iterator(aws):
    """An iterator that is none is refused."""
    with refused("InvalidArgumentException", "ExpiredIteratorException"):
        aws.kinesis.get_records(ShardIterator="none")
