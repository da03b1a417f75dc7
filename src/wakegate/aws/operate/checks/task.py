"""Can the task definition be started, and is its image there?"""

import re
from typing import Any

from wakegate.aws.operate.ask import AskError
from wakegate.aws.operate.check import Check, fail, ok
from wakegate.aws.operate.stack import Stack
from wakegate.core.say import say_bytes

GIB = 1024
# MB by CPU units, as Fargate has them: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html
PAIRS = {
    256: (512, 1 * GIB, 2 * GIB),
    512: tuple(gib * GIB for gib in range(1, 5)),
    1024: tuple(gib * GIB for gib in range(2, 9)),
    2048: tuple(gib * GIB for gib in range(4, 17)),
    4096: tuple(gib * GIB for gib in range(8, 31)),
    8192: tuple(gib * GIB for gib in range(16, 61, 4)),
    16384: tuple(gib * GIB for gib in range(32, 121, 8)),
}
ECR_IMAGE = re.compile(
    r"(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/([^:@]+)(?::([^@]+))?(?:@(sha256:\w+))?$"
)


def definition_of(stack: Stack) -> dict[str, Any]:
    """Return the task definition that the service starts."""
    arn = stack.describe_service()["taskDefinition"]
    found: dict[str, Any] = stack.asker.ask("ecs", "describe_task_definition", taskDefinition=arn)["taskDefinition"]
    return found


def check_task(stack: Stack) -> list[Check]:
    """Look at what keeps Fargate from starting a task, or the functions from reaching it."""
    name, task = "task definition", definition_of(stack)
    family = f"{task['family']}:{task['revision']}"
    deploy = f"wakegate deploy --stack {stack.name}"
    if task.get("status") == "INACTIVE":
        return [fail(name, f"{family} was deregistered: no task can be started from it", deploy)]
    if task.get("networkMode") != "awsvpc":
        return [fail(name, f"{family} has the network mode {task.get('networkMode')}, Fargate needs awsvpc", deploy)]
    cpu, memory = int(task.get("cpu", 0)), int(task.get("memory", 0))
    if memory not in PAIRS.get(cpu, ()):
        allowed = _say_pairs(cpu)
        return [
            fail(
                name, f"{family} has {cpu} CPU units with {memory} MB, which Fargate does not allow: {allowed}", deploy
            )
        ]
    port = int(stack.parameters.get("ContainerPort", "80"))
    ports = [one["containerPort"] for box in task["containerDefinitions"] for one in box.get("portMappings", [])]
    if port not in ports:
        open_ports = ", ".join(map(str, ports)) or "none"
        return [fail(name, f"{family} opens the port {open_ports}, but requests go to {port}", deploy)]
    return [ok(name, f"{family}: {cpu} CPU units, {memory} MB, port {port}")]


def check_image(stack: Stack) -> list[Check]:
    """Look for the image in ECR; another registry is not ours to ask."""
    image = definition_of(stack)["containerDefinitions"][0]["image"]
    match = ECR_IMAGE.match(image)
    if match is None:
        return [ok("image", f"{image} is in no registry of AWS; whether it can be pulled, its tasks show")]
    account, region, repository, tag, digest = match.groups()
    if region != stack.asker.region:
        return [ok("image", f"{image} is in {region}; it was not looked for, and each start pulls it from there")]
    wanted = {"imageDigest": digest} if digest else {"imageTag": tag or "latest"}
    mend = f"wakegate deploy --stack {stack.name}"
    try:
        found = stack.asker.ask(
            "ecr", "describe_images", registryId=account, repositoryName=repository, imageIds=[wanted]
        )["imageDetails"]
    except AskError as error:
        if not error.is_missing:
            raise
        what = "repository" if "Repository" in error.code else "image"
        return [fail("image", f"there is no {what} {image}: every wake fails with CannotPullContainerError", mend)]
    size = int(found[0].get("imageSizeInBytes", 0))
    return [ok("image", f"{image.rpartition('/')[2]} is there, {say_bytes(size)}, pulled at every cold start")]


def _say_pairs(cpu: int) -> str:
    sizes = PAIRS.get(cpu)
    if sizes is None:
        return f"CPU units are {', '.join(map(str, PAIRS))}"
    return f"with {cpu} go {', '.join(map(str, sizes))} MB"
