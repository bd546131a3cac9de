"""SQS: batches, their limits, and when a message that was received is seen again."""

from rules import refused, rule

BYTES_MAX = 1024 * 1024


def new_queue(aws, **attributes):
    return aws.sqs.create_queue(QueueName=aws.new_name(), Attributes=attributes)["QueueUrl"]


def entries(*bodies):
    return [{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)]


def receive(aws, queue, **more):
    answer = aws.sqs.receive_message(QueueUrl=queue, AttributeNames=["ApproximateReceiveCount"], **more)
    return answer.get("Messages", [])


@rule()
def batch_count(aws):
    """A batch holds 10 messages, not 11."""
    queue = new_queue(aws)
    answer = aws.sqs.send_message_batch(QueueUrl=queue, Entries=entries(*["x"] * 10))
    assert len(answer["Successful"]) == 10
    with refused("AWS.SimpleQueueService.TooManyEntriesInBatchRequest"):
        aws.sqs.send_message_batch(QueueUrl=queue, Entries=entries(*["x"] * 11))


@rule()
def batch_bytes(aws):
    """A batch holds 1 MiB in all, and is refused whole when it is larger."""
    queue = new_queue(aws)
    half = "x" * (BYTES_MAX // 2)
    answer = aws.sqs.send_message_batch(QueueUrl=queue, Entries=entries(half, half))
    assert len(answer["Successful"]) == 2
    with refused("AWS.SimpleQueueService.BatchRequestTooLong"):
        aws.sqs.send_message_batch(QueueUrl=queue, Entries=entries(half, half, "x"))


@rule()
def message_bytes(aws):
    """A message holds 1 MiB."""
    queue = new_queue(aws)
    aws.sqs.send_message(QueueUrl=queue, MessageBody="x" * BYTES_MAX)
    with refused("InvalidParameterValue"):
        aws.sqs.send_message(QueueUrl=queue, MessageBody="x" * (BYTES_MAX + 1))


@rule()
def batch_ids(aws):
    """Two entries with one id: the whole batch is refused."""
    queue = new_queue(aws)
    with refused("AWS.SimpleQueueService.BatchEntryIdsNotDistinct"):
        aws.sqs.send_message_batch(QueueUrl=queue, Entries=entries("x", "y") + entries("z"))


@rule(broken_by=["moto"])
def characters(aws):
    """A control character fails its own message, and of a batch that entry alone, with a success for the call."""
    queue = new_queue(aws)
    with refused("InvalidMessageContents"):
        aws.sqs.send_message(QueueUrl=queue, MessageBody="\x01")
    answer = aws.sqs.send_message_batch(QueueUrl=queue, Entries=entries("x", "\x01"))
    assert [entry["Id"] for entry in answer["Successful"]] == ["0"]
    failed = [(entry["Id"], entry["Code"], entry["SenderFault"]) for entry in answer["Failed"]]
    assert failed == [("1", "InvalidMessageContents", True)]


@rule()
def visibility(aws):
    """A message that was received is hidden for its visibility timeout, then comes again, counted."""
    queue = new_queue(aws, VisibilityTimeout="1")
    aws.sqs.send_message(QueueUrl=queue, MessageBody="x")
    assert len(receive(aws, queue)) == 1
    assert receive(aws, queue) == []
    (again,) = receive(aws, queue, WaitTimeSeconds=10)
    assert again["Attributes"]["ApproximateReceiveCount"] == "2"


@rule()
def visibility_of_zero(aws):
    """A timeout of 0 gives a message back at once."""
    queue = new_queue(aws)
    aws.sqs.send_message(QueueUrl=queue, MessageBody="x")
    (message,) = receive(aws, queue)
    aws.sqs.change_message_visibility(
        QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
    )
    assert len(receive(aws, queue)) == 1


@rule()
def deletion(aws):
    """A message that was deleted does not come again."""
    queue = new_queue(aws, VisibilityTimeout="1")
    aws.sqs.send_message(QueueUrl=queue, MessageBody="x")
    (message,) = receive(aws, queue)
    aws.sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    assert receive(aws, queue, WaitTimeSeconds=2) == []


@rule(broken_by=["ministack"])
def deletion_again(aws):
    """Deleting a message twice is no error."""
    queue = new_queue(aws)
    aws.sqs.send_message(QueueUrl=queue, MessageBody="x")
    (message,) = receive(aws, queue)
    for _ in range(2):
        aws.sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])


@rule(broken_by=["ministack"])
def deletion_with_an_older_handle(aws):
    """Deleting with the handle of an earlier receipt is no error, whether or not it deletes."""
    queue = new_queue(aws, VisibilityTimeout="0")
    aws.sqs.send_message(QueueUrl=queue, MessageBody="x")
    (first,) = receive(aws, queue)
    assert len(receive(aws, queue)) == 1
    aws.sqs.delete_message(QueueUrl=queue, ReceiptHandle=first["ReceiptHandle"])


@rule()
def receive_count(aws):
    """At most 10 messages are received at once."""
    with refused("InvalidParameterValue"):
        receive(aws, new_queue(aws), MaxNumberOfMessages=11)


@rule()
def unknown_queue(aws):
    """A queue that is not there is NonExistentQueue, by either of its names."""
    with refused("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"):
        aws.sqs.send_message(QueueUrl=new_queue(aws) + "-not", MessageBody="x")
