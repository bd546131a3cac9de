"""The consumer as the Python pipeline would have it: Powertools' batch processing, pydantic models, boto3 items.

It does the part of the work that the others are compared by: validate a reading, compute its net energy, flag a negative
energy, and build the BatchWriteItem requests. It keeps no state, so it has no totals, hours or episodes, and it does
not recognise a second delivery.
"""
import json
from datetime import datetime, timezone
from decimal import Decimal

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.kinesis_stream_event import KinesisStreamRecord
from pydantic import AwareDatetime, BaseModel, Field

WRITES_PER_REQUEST = 25
ENERGY_MAX_KWH = 1_000_000_000


class Reading(BaseModel):
    site_id: str = Field(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")
    timestamp: AwareDatetime
    energy_generated_kwh: Decimal = Field(ge=-ENERGY_MAX_KWH, le=ENERGY_MAX_KWH, allow_inf_nan=False)
    energy_consumed_kwh: Decimal = Field(ge=-ENERGY_MAX_KWH, le=ENERGY_MAX_KWH, allow_inf_nan=False)


def utc(instant: datetime) -> str:
    return instant.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03d}Z"


def number(value: Decimal) -> dict:
    text = format(value, "f")
    return {"N": text.rstrip("0").rstrip(".") if "." in text else text}


def item(reading: Reading) -> dict:
    generated, consumed = reading.energy_generated_kwh, reading.energy_consumed_kwh
    return {
        "site_id": {"S": reading.site_id},
        "timestamp": {"S": utc(reading.timestamp)},
        "energy_generated_kwh": number(generated),
        "energy_consumed_kwh": number(consumed),
        "net_energy_kwh": number(generated - consumed),
        "anomaly": {"BOOL": generated < 0 or consumed < 0},
    }


class Handler:
    def __init__(self, table: str):
        self.table = table
        self.processor = BatchProcessor(event_type=EventType.KinesisDataStreams)
        self.items: list[dict] = []

    def record(self, record: KinesisStreamRecord) -> None:
        self.items.append(item(Reading.model_validate(record.kinesis.data_as_json())))

    def handle(self, event: dict) -> list[str]:
        """Returns the bodies of the requests that would be sent."""
        self.items = []
        process_partial_response(event=event, record_handler=self.record, processor=self.processor, context=None)
        # One put a key in a request: the last one wins.
        puts = {(put["site_id"]["S"], put["timestamp"]["S"]): put for put in self.items}
        writes = [{"PutRequest": {"Item": put}} for put in puts.values()]
        chunks = (writes[start : start + WRITES_PER_REQUEST] for start in range(0, len(writes), WRITES_PER_REQUEST))
        return [json.dumps({"RequestItems": {self.table: chunk}}) for chunk in chunks]
