"""Reads the tables, the queue of dead letters and a subscription of the topic with boto3, as somebody would who has only
docs/tables.md: reader.py ENDPOINT DEAD_LETTERS_URL SUBSCRIBER_URL.

Whatever does not have the documented form ends it with an error. What it has found it prints as JSON: sums in
milliwatt-hours, the reasons and payloads of dead letters, the ids of alerts.
"""
import base64
import hashlib
import json
import re
import sys
from decimal import Decimal

import boto3
from boto3.dynamodb.conditions import Key

ENDPOINT, DEAD_LETTERS_URL, SUBSCRIBER_URL = sys.argv[1:]
FLEETS = range(16)
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
POSITION = re.compile(r"shardId-\d{12}:\d{1,128}:\d+")
RULE = re.compile(r"[a-z_]+")

dynamodb = boto3.resource("dynamodb", endpoint_url=ENDPOINT)
plain = boto3.client("dynamodb", endpoint_url=ENDPOINT)
sqs = boto3.client("sqs", endpoint_url=ENDPOINT)


def need(condition, what):
    if not condition:
        sys.exit(f"not as documented: {what}")


def whole(value, what):
    need(isinstance(value, Decimal) and value == int(value) and value >= 0, f"{what} is {value!r}")
    return int(value)


def milliwatt_hours(value, what):
    need(isinstance(value, Decimal), f"{what} is {value!r}")
    scaled = value.scaleb(6)
    need(scaled == int(scaled), f"{what} has more than six places: {value}")
    return int(scaled)


def text(form, value, what):
    need(isinstance(value, str) and form.fullmatch(value), f"{what} is {value!r}")


def only(item, required, optional, what):
    need(required <= item.keys() <= required | optional, f"{what} has {sorted(item)}")


def query(table, **asked):
    while True:
        page = table.query(**asked)
        yield from page["Items"]
        if "LastEvaluatedKey" not in page:
            return
        asked["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def sites():
    found = []
    for fleet in FLEETS:
        for item in query(dynamodb.Table("wattstream-sites"), IndexName="fleet", KeyConditionExpression=Key("fleet").eq(fleet)):
            only(item, {"fleet", "site_id"}, set(), "an entry of the index fleet")
            need(hashlib.md5(item["site_id"].encode()).digest()[15] % 16 == fleet, f"the fleet of {item['site_id']}")
            found.append(item["site_id"])
    for site_id in found:
        item = dynamodb.Table("wattstream-sites").get_item(Key={"site_id": site_id}, ConsistentRead=True)["Item"]
        only(item, {"site_id", "version", "state", "fleet"}, set(), "a site")
        need(whole(item["version"], "version") > 0 and isinstance(item["state"].value, bytes), f"the state of {site_id}")
    return sorted(found)


VERSION = {"energy_generated_kwh", "energy_consumed_kwh", "net_energy_kwh", "anomaly", "position"}


def version(item, what):
    generated = milliwatt_hours(item["energy_generated_kwh"], what)
    consumed = milliwatt_hours(item["energy_consumed_kwh"], what)
    need(milliwatt_hours(item["net_energy_kwh"], what) == generated - consumed, f"the net energy of {what}")
    text(POSITION, item["position"], f"the position of {what}")
    need(item["anomaly"] is ("findings" in item), f"the anomaly of {what}")
    for finding in item.get("findings", []):
        only(finding, {"rule", "severity", "score"}, {"channel", "expected_kwh"}, f"a finding of {what}")
        text(RULE, finding["rule"], "a rule")
        need(finding["severity"] in ("error", "warning"), f"a severity of {what}")
        need(isinstance(finding["score"], Decimal) and finding["score"] > 0, f"a score of {what}")
        need(finding.get("channel", "generated") in ("generated", "consumed"), f"a channel of {what}")
        if "expected_kwh" in finding:
            milliwatt_hours(finding["expected_kwh"], f"an expected energy of {what}")
    return generated, consumed


def numbers_are_spelt_as_documented(site_id):
    """boto3 makes Decimals of numbers; the plain client shows them as they stand."""
    page = plain.query(
        TableName="wattstream-readings",
        KeyConditionExpression="site_id = :site",
        ExpressionAttributeValues={":site": {"S": site_id}},
    )
    for item in page["Items"]:
        for name in ("energy_generated_kwh", "energy_consumed_kwh", "net_energy_kwh"):
            spelt = re.fullmatch(r"0|-?(0|[1-9]\d*)(\.\d{0,5}[1-9])?", item[name]["N"])
            need(spelt and item[name]["N"] != "-0", f"{name} is spelt {item[name]['N']}")


def readings(site_id):
    table = dynamodb.Table("wattstream-readings")
    fleet = hashlib.md5(site_id.encode()).digest()[15] % 16
    sums = {"records": 0, "anomalies": 0, "generated": 0, "consumed": 0}
    anomalous, last = [], ""
    for item in query(table, KeyConditionExpression=Key("site_id").eq(site_id), ConsistentRead=True):
        what = f"the reading of {site_id} at {item['timestamp']}"
        of_anomalies = {"findings", "anomaly_at", "anomaly_fleet", "anomaly_place"}
        only(item, VERSION | {"site_id", "timestamp"}, of_anomalies | {"revision", "before"}, what)
        text(INSTANT, item["timestamp"], what)
        need(item["timestamp"] > last, f"the order of {what}")
        last = item["timestamp"]
        generated, consumed = version(item, what)
        need("revision" not in item or whole(item["revision"], what) > 0, f"the revision of {what}")
        if "before" in item:
            need("revision" in item, f"the revision of {what}")
            only(item["before"], VERSION, {"findings", "revision"}, f"the version before {what}")
            version(item["before"], f"the version before {what}")
        need(item.get("anomaly_at") == (item["timestamp"] if item["anomaly"] else None), f"anomaly_at of {what}")
        place = f"{item['timestamp']}#{site_id}" if item["anomaly"] else None
        need(item.get("anomaly_place") == place, f"anomaly_place of {what}")
        need(item.get("anomaly_fleet") == (fleet if item["anomaly"] else None), f"anomaly_fleet of {what}")
        sums["records"] += 1
        sums["generated"] += generated
        sums["consumed"] += consumed
        if item["anomaly"]:
            sums["anomalies"] += 1
            anomalous.append(item)
    indexed = list(query(table, IndexName="anomalies", KeyConditionExpression=Key("site_id").eq(site_id)))
    need(indexed == anomalous, f"the index anomalies of {site_id}")
    of_fleet = query(table, IndexName="fleet_anomalies", KeyConditionExpression=Key("anomaly_fleet").eq(fleet))
    of_site = [item for item in of_fleet if item["site_id"] == site_id]
    need(of_site == anomalous, f"the index fleet_anomalies of {site_id}")
    numbers_are_spelt_as_documented(site_id)
    return sums


HOUR = {
    "site_id", "hour", "records", "anomalies", "position",
    "energy_generated_kwh", "energy_generated_kwh_min", "energy_generated_kwh_max",
    "energy_consumed_kwh", "energy_consumed_kwh_min", "energy_consumed_kwh_max",
}  # fmt: skip


def hours(site_id):
    """Every closed hour is the sums of its readings, counted here."""
    table = dynamodb.Table("wattstream-readings")
    found = 0
    for item in query(dynamodb.Table("wattstream-hours"), KeyConditionExpression=Key("site_id").eq(site_id)):
        what = f"the hour of {site_id} at {item['hour']}"
        only(item, HOUR, set(), what)
        text(INSTANT, item["hour"], what)
        within = Key("timestamp").between(item["hour"], item["hour"].replace(":00:00.000Z", ":59:59.999Z"))
        rows = list(query(table, KeyConditionExpression=Key("site_id").eq(site_id) & within, ConsistentRead=True))
        need(whole(item["records"], what) == len(rows), f"the records of {what}")
        need(whole(item["anomalies"], what) == sum(row["anomaly"] for row in rows), f"the anomalies of {what}")
        for name in ("energy_generated_kwh", "energy_consumed_kwh"):
            values = [row[name] for row in rows]
            expected = (sum(values), min(values), max(values))
            need((item[name], item[name + "_min"], item[name + "_max"]) == expected, f"{name} of {what}")
        found += 1
    return found


def shards():
    for item in dynamodb.Table("wattstream-shards").scan()["Items"]:
        only(item, {"shard", "sequence", "instance"}, set(), "a shard")
        text(POSITION, f"{item['shard']}:{item['sequence']}:0", "a shard and its sequence number")


def alerts():
    ids = []
    for fleet in FLEETS:
        for item in query(dynamodb.Table("wattstream-alerts"), KeyConditionExpression=Key("fleet").eq(fleet)):
            only(item, {"fleet", "alert_at", "alert", "site_id", "at", "alert_id", "phase"}, set(), "an alert")
            need(item["alert_at"] == f"{item['at']}#{item['alert_id']}", f"the key of the alert {item['alert_id']}")
            need(item["phase"] in ("opened", "closed"), f"the phase of {item['alert_id']}")
            ids.append(item["alert_id"])
    return sorted(ids)


def messages(url):
    found = {}
    while True:
        page = sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1, MessageAttributeNames=["All"]
        ).get("Messages", [])
        if not page:
            return found.values()
        found.update((message["MessageId"], message) for message in page)


def dead_letters():
    letters = []
    for message in messages(DEAD_LETTERS_URL):
        letter = json.loads(message["Body"])
        need(
            letter.keys()
            == {"position", "arrived_at", "reason", "detail", "payload_bytes", "payload_sha256", "part", "parts", "payload_base64"},
            f"a dead letter has {sorted(letter)}",
        )
        payload = base64.b64decode(letter["payload_base64"], validate=True)
        need(letter["part"] == letter["parts"] == 1, "the parts of a short letter")
        need(len(payload) == letter["payload_bytes"], "the length of a payload")
        need(hashlib.sha256(payload).hexdigest() == letter["payload_sha256"], "the hash of a payload")
        text(POSITION, letter["position"], "the position of a dead letter")
        text(INSTANT, letter["arrived_at"], "the arrival of a dead letter")
        need(message["MessageAttributes"]["reason"]["StringValue"] == letter["reason"], "the attribute reason")
        letters.append([letter["reason"], payload.decode()])
    return sorted(letters)


def told():
    ids = []
    for message in messages(SUBSCRIBER_URL):
        envelope = json.loads(message["Body"])
        alert = json.loads(envelope["Message"])
        attributes = {name: value["Value"] for name, value in envelope["MessageAttributes"].items()}
        for name in ("site_id", "severity", "phase"):
            need(attributes[name] == alert[name], f"the attribute {name} of {alert['alert_id']}")
        ids.append(alert["alert_id"])
    return sorted(ids)


found = {site_id: readings(site_id) | {"hours": hours(site_id)} for site_id in sites()}
shards()
json.dump({"sites": found, "alerts": alerts(), "told": told(), "dead_letters": dead_letters()}, sys.stdout)
