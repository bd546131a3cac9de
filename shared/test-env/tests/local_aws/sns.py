"""SNS: what reaches a queue, and the limits of PublishBatch."""

import json

from rules import refused, rule

BYTES_MAX = 256 * 1024


def new_topic(aws):
    return aws.sns.create_topic(Name=aws.new_name())["TopicArn"]


def subscribed_queue(aws, topic, **attributes):
    queue = aws.sqs.create_queue(QueueName=aws.new_name())["QueueUrl"]
    answer = aws.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    arn = answer["Attributes"]["QueueArn"]
    aws.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=attributes)
    return queue


def bodies(aws, queue):
    answer = aws.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=5)
    return sorted(message["Body"] for message in answer.get("Messages", []))


def entries(*messages):
    return [{"Id": str(number), "Message": message} for number, message in enumerate(messages)]


@rule()
def reaches_a_queue(aws):
    """A message reaches a queue in an envelope, or as it is where RawMessageDelivery is set."""
    topic = new_topic(aws)
    raw = subscribed_queue(aws, topic, RawMessageDelivery="true")
    wrapped = subscribed_queue(aws, topic)
    aws.sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries("a", "b"))
    assert bodies(aws, raw) == ["a", "b"]
    assert sorted(json.loads(body)["Message"] for body in bodies(aws, wrapped)) == ["a", "b"]


@rule()
def filters(aws):
    """A filter policy on attributes lets through what it names."""
    topic = new_topic(aws)
    policy = json.dumps({"kind": ["opened"]})
    queue = subscribed_queue(aws, topic, RawMessageDelivery="true", FilterPolicy=policy)
    for kind in ("closed", "opened"):
        attributes = {"kind": {"DataType": "String", "StringValue": kind}}
        aws.sns.publish(TopicArn=topic, Message=kind, MessageAttributes=attributes)
    assert bodies(aws, queue) == ["opened"]


@rule()
def batch_count(aws):
    """A batch holds 10 messages, not 11."""
    topic = new_topic(aws)
    answer = aws.sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries(*["x"] * 10))
    assert len(answer["Successful"]) == 10 and answer["Failed"] == []
    with refused("TooManyEntriesInBatchRequest"):
        aws.sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries(*["x"] * 11))


@rule()
def batch_ids(aws):
    """Two entries with one id: the whole batch is refused."""
    batch = entries("x", "y") + entries("z")
    with refused("BatchEntryIdsNotDistinct"):
        aws.sns.publish_batch(TopicArn=new_topic(aws), PublishBatchRequestEntries=batch)


@rule()
def message_bytes(aws):
    """A message holds 256 KiB."""
    topic = new_topic(aws)
    aws.sns.publish(TopicArn=topic, Message="x" * BYTES_MAX)
    with refused("InvalidParameter"):
        aws.sns.publish(TopicArn=topic, Message="x" * (BYTES_MAX + 1))


@rule(broken_by=["ministack", "moto"])
def batch_bytes(aws):
    """A batch holds 256 KiB in all."""
    half = "x" * (BYTES_MAX // 2)
    with refused("BatchRequestTooLong"):
        aws.sns.publish_batch(
            TopicArn=new_topic(aws), PublishBatchRequestEntries=entries(half, half, "x")
        )


@rule(broken_by=["ministack"])
def subject_length(aws):
    """A subject is shorter than 100 characters, or at most as long: none of 101 is taken."""
    with refused("InvalidParameter"):
        aws.sns.publish(TopicArn=new_topic(aws), Message="x", Subject="s" * 101)


@rule(broken_by=["ministack", "moto"])
def subject_characters(aws):
    """A subject has no line breaks."""
    with refused("InvalidParameter"):
        aws.sns.publish(TopicArn=new_topic(aws), Message="x", Subject="a\nb")


@rule(broken_by=["ministack", "moto"])
def empty_message(aws):
    """A message is not empty."""
    with refused("InvalidParameter"):
        aws.sns.publish(TopicArn=new_topic(aws), Message="")


@rule()
def unknown_topic(aws):
    """A topic that is not there is NotFound, in a batch too."""
    topic = new_topic(aws) + "-not"
    with refused("NotFound"):
        aws.sns.publish(TopicArn=topic, Message="x")
    with refused("NotFound"):
        aws.sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries("x"))
