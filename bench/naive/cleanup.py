"""The guide's cleanup function: once a minute, whatever is the case, look whether somebody was there."""

import os
import time
from typing import Any

import boto3

ecs = boto3.client("ecs")
table = boto3.resource("dynamodb").Table(os.environ["DYNAMODB_TABLE"])
CLUSTER, SERVICE = os.environ["CLUSTER"], os.environ["SERVICE_NAME"]


def lambda_handler(_event: object, _context: object) -> str:
    """Scale to zero when the last request is old enough."""
    item: dict[str, Any] = table.get_item(Key={"uuid": "last-request"}).get("Item", {})
    idle_s = time.time() - int(item.get("at", 0))
    if idle_s < int(os.environ["IDLE_TIMEOUT"]):
        return f"active {idle_s:.0f} s ago"
    services = ecs.describe_services(cluster=CLUSTER, services=[SERVICE])["services"]
    if services[0]["desiredCount"] > 0:
        ecs.update_service(cluster=CLUSTER, service=SERVICE, desiredCount=0)
    return "asleep"
