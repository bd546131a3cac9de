"""Lists everything in the account, by CloudFormation's types, with the services' own APIs: inventory.py ENDPOINT.

Prints {"resources": {TYPE: [NAME, ...]}, "parts": {TYPE: TYPE}}. A part is listed with what it is a part of: it cannot be there
without it.
"""

import json
import sys

import boto3

ENDPOINT = sys.argv[1]


def client(service):
    return boto3.client(service, endpoint_url=ENDPOINT)


def pages(service, operation, key, **asked):
    yield from client(service).get_paginator(operation).paginate(**asked).search(f"{key}[]")


def names(service, operation, key, name, **asked):
    return [item if name is None else item[name] for item in pages(service, operation, key, **asked) if item]


def keys():
    """A key that waits for its deletion is no longer of use to anybody: AWS keeps it for a week at least."""
    kms = client("kms")
    found = [key["KeyId"] for key in kms.list_keys(Limit=1000)["Keys"]]
    return [key for key in found if kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] != "PendingDeletion"]


def alarms():
    found = list(client("cloudwatch").get_paginator("describe_alarms").paginate())
    return {
        "AWS::CloudWatch::Alarm": [alarm["AlarmName"] for page in found for alarm in page["MetricAlarms"]],
        "AWS::CloudWatch::CompositeAlarm": [
            alarm["AlarmName"] for page in found for alarm in page.get("CompositeAlarms", [])
        ],
    }


def stacks():
    gone = "DELETE_COMPLETE"
    return [
        stack["StackName"]
        for stack in pages("cloudformation", "list_stacks", "StackSummaries")
        if stack["StackStatus"] != gone
    ]


RESOURCES = {
    "AWS::ApiGatewayV2::Api": [api["ApiId"] for api in client("apigatewayv2").get_apis()["Items"]],
    "AWS::CloudFormation::Stack": stacks(),
    "AWS::CloudWatch::Dashboard": names("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
    "AWS::DynamoDB::Table": names("dynamodb", "list_tables", "TableNames", None),
    "AWS::IAM::ManagedPolicy": names("iam", "list_policies", "Policies", "Arn", Scope="Local"),
    "AWS::IAM::Role": names("iam", "list_roles", "Roles", "RoleName"),
    "AWS::KMS::Alias": names("kms", "list_aliases", "Aliases", "AliasName"),
    "AWS::KMS::Key": keys(),
    "AWS::Kinesis::Stream": client("kinesis").list_streams()["StreamNames"],
    "AWS::KinesisFirehose::DeliveryStream": client("firehose").list_delivery_streams()["DeliveryStreamNames"],
    "AWS::Lambda::EventSourceMapping": names("lambda", "list_event_source_mappings", "EventSourceMappings", "UUID"),
    "AWS::Lambda::Function": names("lambda", "list_functions", "Functions", "FunctionName"),
    "AWS::Logs::LogGroup": names("logs", "describe_log_groups", "logGroups", "logGroupName"),
    "AWS::S3::Bucket": [bucket["Name"] for bucket in client("s3").list_buckets()["Buckets"]],
    "AWS::SNS::Subscription": names("sns", "list_subscriptions", "Subscriptions", "SubscriptionArn"),
    "AWS::SNS::Topic": names("sns", "list_topics", "Topics", "TopicArn"),
    "AWS::SQS::Queue": client("sqs").list_queues().get("QueueUrls", []),
    "AWS::SSM::Parameter": names("ssm", "describe_parameters", "Parameters", "Name"),
    "AWS::Scheduler::Schedule": names("scheduler", "list_schedules", "Schedules", "Name"),
    "AWS::Scheduler::ScheduleGroup": names("scheduler", "list_schedule_groups", "ScheduleGroups", "Name"),
} | alarms()

PARTS = {
    "AWS::ApiGatewayV2::Authorizer": "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::Integration": "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::Route": "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::Stage": "AWS::ApiGatewayV2::Api",
    "AWS::CDK::Metadata": "AWS::CloudFormation::Stack",
    "AWS::DynamoDB::GlobalTable": "AWS::DynamoDB::Table",
    "AWS::IAM::Policy": "AWS::IAM::Role",
    "AWS::KinesisFirehose::DeliveryStreamPolicy": "AWS::KinesisFirehose::DeliveryStream",
    "AWS::Lambda::EventInvokeConfig": "AWS::Lambda::Function",
    "AWS::Lambda::Permission": "AWS::Lambda::Function",
    "AWS::Logs::LogStream": "AWS::Logs::LogGroup",
    "AWS::Logs::MetricFilter": "AWS::Logs::LogGroup",
    "AWS::S3::BucketPolicy": "AWS::S3::Bucket",
    "AWS::SNS::TopicPolicy": "AWS::SNS::Topic",
    "AWS::SQS::QueuePolicy": "AWS::SQS::Queue",
}

json.dump({"resources": RESOURCES, "parts": PARTS}, sys.stdout)
