"""Disables every schedule: stop_schedules.py ENDPOINT. Prints {"stopped": COUNT}."""

import json
import sys

import boto3

scheduler = boto3.client("scheduler", endpoint_url=sys.argv[1])
SETTINGS = {
    "Name", "GroupName", "ScheduleExpression", "ScheduleExpressionTimezone", "FlexibleTimeWindow", "Target",
    "ActionAfterCompletion", "Description", "StartDate", "EndDate", "KmsKeyArn",
}  # fmt: skip

schedules = scheduler.list_schedules()["Schedules"]
for schedule in schedules:
    found = scheduler.get_schedule(Name=schedule["Name"], GroupName=schedule["GroupName"])
    settings = {name: value for name, value in found.items() if name in SETTINGS and value}
    scheduler.update_schedule(**settings, State="DISABLED")
json.dump({"stopped": len(schedules)}, sys.stdout)
