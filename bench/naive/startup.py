"""The guide's startup function: note the request, look the service and its task up, scale, wait, forward."""

import base64
import os
import time
import uuid
from typing import Any

import boto3
import urllib3

ecs, ec2 = boto3.client("ecs"), boto3.client("ec2")
table = boto3.resource("dynamodb").Table(os.environ["DYNAMODB_TABLE"])
http = urllib3.PoolManager()
CLUSTER, SERVICE = os.environ["CLUSTER"], os.environ["SERVICE_NAME"]
PORT = os.environ["CONTAINER_PORT"]
TIMEOUT_S = int(os.environ["SCALE_UP_TIMEOUT"])
POLL_S = 5


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer one request."""
    now = int(time.time())
    cookies = dict(cookie.split("=", 1) for cookie in event.get("cookies", ()))
    session = cookies.get("uuid") or str(uuid.uuid4())
    table.put_item(Item={"uuid": "last-request", "at": now})
    table.put_item(Item={"uuid": session, "at": now, "expires": now + 3600})
    if ecs.describe_services(cluster=CLUSTER, services=[SERVICE])["services"][0]["desiredCount"] == 0:
        ecs.update_service(cluster=CLUSTER, service=SERVICE, desiredCount=1)
    address = wait_for_address(until_s=time.time() + TIMEOUT_S)
    if address is None:
        return {"statusCode": 503, "body": "the container did not start"}
    return forward(event, address, session)


def wait_for_address(*, until_s: float) -> str | None:
    """Return where a task runs, as soon as one does."""
    while time.time() < until_s:
        address = find_address()
        if address is not None:
            return address
        time.sleep(POLL_S)
    return None


def find_address() -> str | None:
    """Look for a running task and the public address of its interface."""
    arns = ecs.list_tasks(cluster=CLUSTER, serviceName=SERVICE)["taskArns"]
    tasks = ecs.describe_tasks(cluster=CLUSTER, tasks=arns)["tasks"] if arns else []
    for task in tasks:
        if task["lastStatus"] == "RUNNING":
            details = {one["name"]: one["value"] for one in task["attachments"][0]["details"]}
            found = ec2.describe_network_interfaces(NetworkInterfaceIds=[details["networkInterfaceId"]])
            return str(found["NetworkInterfaces"][0]["Association"]["PublicIp"])
    return None


def forward(event: dict[str, Any], address: str, session: str) -> dict[str, Any]:
    """Send the request to the task, and its answer back."""
    body = event.get("body", "")
    data = base64.b64decode(body) if event.get("isBase64Encoded") else body
    url = f"http://{address}:{PORT}{event['rawPath']}?{event['rawQueryString']}"
    method = event["requestContext"]["http"]["method"]
    answer = http.request(method, url, body=data, headers=event["headers"], retries=False)
    return {
        "statusCode": answer.status,
        "headers": dict(answer.headers),
        "cookies": [f"uuid={session}; Path=/"],
        "body": base64.b64encode(answer.data).decode(),
        "isBase64Encoded": True,
    }
