"""DynamoDB: conditions, batches, pages, a sparse index."""

from rules import refused, rule

ITEM_BYTES_MAX = 400 * 1024


def new_table(aws):
    """A table like that of the readings: one item a site and timestamp, an index of those that have `anomaly_at`."""
    name = aws.new_name()
    strings = ["site_id", "timestamp", "anomaly_at"]
    aws.dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": string, "AttributeType": "S"} for string in strings],
        KeySchema=keys("site_id", "timestamp"),
        GlobalSecondaryIndexes=[
            {
                "IndexName": "anomalies",
                "KeySchema": keys("site_id", "anomaly_at"),
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
    )
    aws.dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
    return name


def keys(partition, sort):
    return [{"AttributeName": partition, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}]


def item(number, **attributes):
    return {"site_id": {"S": "site"}, "timestamp": {"S": f"{number:05}"}, **attributes}


def put_all(aws, table, items):
    for start in range(0, len(items), 25):
        answer = aws.dynamodb.batch_write_item(RequestItems={table: puts(items[start : start + 25])})
        assert answer["UnprocessedItems"] == {}


def puts(items):
    return [{"PutRequest": {"Item": item}} for item in items]


def query(aws, table, **more):
    return aws.dynamodb.query(
        TableName=table,
        KeyConditionExpression="site_id = :site",
        ExpressionAttributeValues={":site": {"S": "site"}},
        **more,
    )


def pages(aws, table, **more):
    while True:
        page = query(aws, table, **more)
        yield [item["timestamp"]["S"] for item in page["Items"]]
        if "LastEvaluatedKey" not in page:
            return
        more["ExclusiveStartKey"] = page["LastEvaluatedKey"]


@rule()
def condition_returns_old(aws):
    """A put whose condition fails changes nothing and returns what is there."""
    table = new_table(aws)
    aws.dynamodb.put_item(TableName=table, Item=item(1, version={"N": "1"}))
    try:
        aws.dynamodb.put_item(
            TableName=table,
            Item=item(1, version={"N": "2"}),
            ConditionExpression="attribute_not_exists(site_id)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except aws.dynamodb.exceptions.ConditionalCheckFailedException as error:
        assert error.response["Item"] == item(1, version={"N": "1"})
    else:
        raise AssertionError("the condition held")
    stored = aws.dynamodb.get_item(TableName=table, Key=item(1), ConsistentRead=True)["Item"]
    assert stored["version"] == {"N": "1"}


@rule()
def condition_on_version(aws):
    """Of two writers that saw the same version, one succeeds."""
    table = new_table(aws)
    condition = "attribute_not_exists(version) OR version = :seen"
    values = {":seen": {"N": "1"}}
    put = {"TableName": table, "ConditionExpression": condition, "ExpressionAttributeValues": values}
    aws.dynamodb.put_item(**put, Item=item(1, version={"N": "1"}))
    aws.dynamodb.put_item(**put, Item=item(1, version={"N": "2"}))
    with refused("ConditionalCheckFailedException"):
        aws.dynamodb.put_item(**put, Item=item(1, version={"N": "2"}))


@rule()
def condition_in_map(aws):
    """A condition may look into a map, and strings compare by their bytes."""
    table = new_table(aws)
    aws.dynamodb.put_item(TableName=table, Item=item(1, position={"M": {"sequence": {"S": "5"}}}))
    put = {
        "TableName": table,
        "ConditionExpression": "#position.#sequence < :sequence",
        "ExpressionAttributeNames": {"#position": "position", "#sequence": "sequence"},
        "ExpressionAttributeValues": {":sequence": {"S": "6"}},
    }
    aws.dynamodb.put_item(**put, Item=item(1, position={"M": {"sequence": {"S": "6"}}}))
    with refused("ConditionalCheckFailedException"):
        aws.dynamodb.put_item(**put, Item=item(1))


@rule()
def condition_on_bytes(aws):
    """Binary values compare as unsigned bytes."""
    table = new_table(aws)
    aws.dynamodb.put_item(TableName=table, Item=item(1, at={"B": b"\x01\x7f"}))
    put = {
        "TableName": table,
        "ConditionExpression": "#at < :at",
        "ExpressionAttributeNames": {"#at": "at"},
        "ExpressionAttributeValues": {":at": {"B": b"\x01\x80"}},
    }
    aws.dynamodb.put_item(**put, Item=item(1, at={"B": b"\x01\x80"}))
    with refused("ConditionalCheckFailedException"):
        aws.dynamodb.put_item(**put, Item=item(1))


@rule()
def unknown_table(aws):
    """A table that is not there is ResourceNotFoundException, in a batch too."""
    with refused("ResourceNotFoundException"):
        aws.dynamodb.put_item(TableName="nowhere", Item=item(1))
    with refused("ResourceNotFoundException"):
        aws.dynamodb.batch_write_item(RequestItems={"nowhere": puts([item(1)])})


@rule(broken_by=["moto"])
def batch_write_limit(aws):
    """BatchWriteItem takes 25 items, not 26."""
    table = new_table(aws)
    put_all(aws, table, [item(number) for number in range(25)])
    with refused("ValidationException"):
        aws.dynamodb.batch_write_item(RequestItems={table: puts([item(number) for number in range(26)])})


@rule()
def batch_write_same_key_twice(aws):
    """Two puts of one key in a batch: the whole batch is refused."""
    table = new_table(aws)
    with refused("ValidationException"):
        aws.dynamodb.batch_write_item(RequestItems={table: puts([item(1), item(2), item(1)])})
    assert query(aws, table)["Count"] == 0


@rule(broken_by=["moto"])
def batch_write_put_and_delete(aws):
    """A put and a delete of one key in a batch: the whole batch is refused."""
    table = new_table(aws)
    requests = puts([item(1)]) + [{"DeleteRequest": {"Key": item(1)}}]
    with refused("ValidationException"):
        aws.dynamodb.batch_write_item(RequestItems={table: requests})


@rule()
def item_too_large(aws):
    """An item over 400 KB is refused, and a batch with one too."""
    table = new_table(aws)
    large = item(1, payload={"S": "x" * ITEM_BYTES_MAX})
    with refused("ValidationException"):
        aws.dynamodb.put_item(TableName=table, Item=large)
    with refused("ValidationException"):
        aws.dynamodb.batch_write_item(RequestItems={table: puts([large, item(2)])})
    assert query(aws, table)["Count"] == 0


@rule()
def batch_get(aws):
    """BatchGetItem returns those that exist, of up to 100 distinct keys."""
    table = new_table(aws)
    put_all(aws, table, [item(number) for number in range(0, 100, 2)])

    def get(numbers):
        request = {table: {"Keys": [item(number) for number in numbers], "ConsistentRead": True}}
        return aws.dynamodb.batch_get_item(RequestItems=request)

    answer = get(range(100))
    assert answer["UnprocessedKeys"] == {}
    found = {item["timestamp"]["S"] for item in answer["Responses"][table]}
    assert found == {f"{number:05}" for number in range(0, 100, 2)}
    with refused("ValidationException"):
        get(range(101))
    with refused("ValidationException"):
        get([1, 1])


@rule()
def query_pages(aws):
    """Limit and ExclusiveStartKey walk a partition in order of its sort key, both ways, each item once."""
    table = new_table(aws)
    put_all(aws, table, [item(number) for number in range(20)])
    forth = list(pages(aws, table, Limit=7, ConsistentRead=True))
    assert [len(page) for page in forth] == [7, 7, 6]
    back = list(pages(aws, table, Limit=7, ScanIndexForward=False))
    assert sum(forth, []) == [f"{number:05}" for number in range(20)] == sum(back, [])[::-1]


@rule()
def query_from_a_key_that_is_gone(aws):
    """ExclusiveStartKey is a place, not an item: it need not exist."""
    table = new_table(aws)
    put_all(aws, table, [item(1), item(3)])
    page = query(aws, table, ExclusiveStartKey=item(2))
    assert [item["timestamp"]["S"] for item in page["Items"]] == ["00003"]


@rule(broken_by=["moto"])
def query_page_that_ends_with_the_items(aws):
    """A page that Limit fills exactly names a next page, which is empty."""
    table = new_table(aws)
    put_all(aws, table, [item(number) for number in range(14)])
    assert [len(page) for page in pages(aws, table, Limit=7)] == [7, 7, 0]


@rule()
def query_between(aws):
    """BETWEEN includes both ends."""
    table = new_table(aws)
    put_all(aws, table, [item(number) for number in range(10)])
    page = aws.dynamodb.query(
        TableName=table,
        KeyConditionExpression="site_id = :site AND #at BETWEEN :from AND :to",
        ExpressionAttributeNames={"#at": "timestamp"},
        ExpressionAttributeValues={":site": {"S": "site"}, ":from": {"S": "00003"}, ":to": {"S": "00005"}},
    )
    assert page["Count"] == 3


@rule()
def query_page_bytes(aws):
    """A page holds at most 1 MB, whatever its limit."""
    table = new_table(aws)
    put_all(aws, table, [item(number, payload={"S": "x" * 40_000}) for number in range(50)])
    sizes = [len(page) for page in pages(aws, table)]
    assert sum(sizes) == 50 and max(sizes) * 40_000 <= 1 << 20, sizes


@rule()
def sparse_index(aws):
    """An index holds the items that have its key, and of them their keys; it pages by all of them."""
    table = new_table(aws)
    anomalous = [item(number, anomaly_at={"S": f"{number:05}"}, net={"N": "1"}) for number in (2, 5, 7)]
    put_all(aws, table, [item(number) for number in range(10) if number not in (2, 5, 7)] + anomalous)
    page = query(aws, table, IndexName="anomalies", Limit=2)
    assert page["Items"] == [item(number, anomaly_at={"S": f"{number:05}"}) for number in (2, 5)]
    assert page["LastEvaluatedKey"].keys() == {"site_id", "timestamp", "anomaly_at"}
    aws.dynamodb.put_item(TableName=table, Item=item(5))
    assert list(pages(aws, table, IndexName="anomalies", Limit=1))[:2] == [["00002"], ["00007"]]


@rule()
def index_is_not_consistent(aws):
    """An index cannot be read consistently."""
    table = new_table(aws)
    with refused("ValidationException"):
        query(aws, table, IndexName="anomalies", ConsistentRead=True)


@rule(broken_by=["moto"])
def index_key_type(aws):
    """An index key of another type is refused, not left out of the index."""
    table = new_table(aws)
    with refused("ValidationException"):
        aws.dynamodb.put_item(TableName=table, Item=item(1, anomaly_at={"N": "1"}))


@rule()
def scan_segments(aws):
    """The segments of a parallel scan are the table, page by page."""
    table = new_table(aws)
    put_all(aws, table, [{**item(number), "site_id": {"S": f"site-{number}"}} for number in range(30)])
    found = []
    for segment in range(3):
        scan = {"TableName": table, "Segment": segment, "TotalSegments": 3, "Limit": 4}
        while True:
            page = aws.dynamodb.scan(**scan)
            found += [item["timestamp"]["S"] for item in page["Items"]]
            if "LastEvaluatedKey" not in page:
                break
            scan["ExclusiveStartKey"] = page["LastEvaluatedKey"]
    assert sorted(found) == [f"{number:05}" for number in range(30)]


@rule()
def transaction(aws):
    """A transaction that is cancelled changes nothing and tells a reason for each action, in order."""
    table = new_table(aws)
    aws.dynamodb.put_item(TableName=table, Item=item(2))
    put = {"TableName": table, "ConditionExpression": "attribute_not_exists(site_id)"}
    try:
        aws.dynamodb.transact_write_items(
            TransactItems=[{"Put": {**put, "Item": item(number)}} for number in (1, 2)]
        )
    except aws.dynamodb.exceptions.TransactionCanceledException as error:
        codes = [reason["Code"] for reason in error.response["CancellationReasons"]]
        assert codes == ["None", "ConditionalCheckFailed"]
    else:
        raise AssertionError("the transaction went through")
    assert query(aws, table)["Count"] == 1


@rule(broken_by=["moto"])
def numbers_are_normalised(aws):
    """A number comes back without the zeros that say nothing, and has at most 38 digits."""
    table = new_table(aws)
    aws.dynamodb.put_item(TableName=table, Item=item(1, net={"N": "00042.50"}))
    assert aws.dynamodb.get_item(TableName=table, Key=item(1))["Item"]["net"] == {"N": "42.5"}
    with refused("ValidationException"):
        aws.dynamodb.put_item(TableName=table, Item=item(1, net={"N": "1" * 39}))


@rule()
def reserved_words(aws):
    """`timestamp` is a reserved word: in an expression it needs a placeholder."""
    table = new_table(aws)
    with refused("ValidationException"):
        aws.dynamodb.put_item(
            TableName=table,
            Item=item(1),
            ConditionExpression="timestamp = :at",
            ExpressionAttributeValues={":at": {"S": "1"}},
        )


@rule(broken_by=["moto"])
def unused_placeholder(aws):
    """A placeholder that the expression does not use is refused."""
    table = new_table(aws)
    with refused("ValidationException"):
        aws.dynamodb.put_item(
            TableName=table,
            Item=item(1),
            ConditionExpression="attribute_not_exists(site_id)",
            ExpressionAttributeValues={":unused": {"N": "1"}},
        )
