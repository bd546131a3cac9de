"""ministack, with three things as AWS has them that it has otherwise, and without which what is deployed into it does not work:

- A sequence number of Kinesis has no zero in front (its API reference: `0|([1-9]\\d{0,128})`); ministack's begin with zeros.
- EventBridge Scheduler fills context attributes into the input of a schedule's target (its user guide, "Adding context
  attributes"); ministack hands `<aws.scheduler.scheduled-time>` over as it stands.
- An index of a table has a status (`IndexStatus`), also where CloudFormation has made the table.

The README beside this file tells what else is different. Each of them goes when ministack does it.
"""

import time

from ministack import app
from ministack.services import eventbridge, kinesis

SCHEDULED_TIME = "<aws.scheduler.scheduled-time>"

next_sequence_number = kinesis._next_sequence_number
invoke_target = eventbridge._invoke_target
get_module = app._get_module
with_index_status = []


def next_sequence_number_of_aws():
    # AWS's begin so; all have one length still, which the comparisons in ministack need.
    return "49" + next_sequence_number()


def invoke_target_with_context(target, event, rule, *rest):
    if event.get("Source") == "aws.scheduler" and SCHEDULED_TIME in (target.get("Input") or ""):
        scheduled = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(event["Time"]))
        target = {**target, "Input": target["Input"].replace(SCHEDULED_TIME, scheduled)}
    return invoke_target(target, event, rule, *rest)


def get_module_with_index_status(name):
    """ministack loads a service at the first call to it, and DynamoDB's takes half a second."""
    module = get_module(name)
    if name == "dynamodb" and module not in with_index_status:
        with_index_status.append(module)
        describe = module._table_description

        def describe_with_index_status(*table):
            description = describe(*table)
            for index in description.get("GlobalSecondaryIndexes") or []:
                index.setdefault("IndexStatus", "ACTIVE")
            return description

        module._table_description = describe_with_index_status
    return module


app._get_module = get_module_with_index_status
kinesis._next_sequence_number = next_sequence_number_of_aws
eventbridge._invoke_target = invoke_target_with_context
app.main()
