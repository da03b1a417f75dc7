"""The task definition and its image."""

from dataclasses import replace
from typing import Any

import pytest
from tests.account.account import Account

from wakegate.aws.operate.check import Verdict
from wakegate.aws.operate.checks.task import ECR_IMAGE, check_image, check_task, definition_of
from wakegate.aws.operate.stack import Stack


def register(account: Account, stack: Stack, **changes: Any) -> None:
    """Let the service use another revision of its task definition, as somebody in the console does."""
    old = definition_of(stack)
    keys = ("family", "networkMode", "cpu", "memory", "executionRoleArn", "taskRoleArn", "containerDefinitions")
    made = account.client("ecs").register_task_definition(**({key: old[key] for key in keys} | changes))
    arn = made["taskDefinition"]["taskDefinitionArn"]
    account.client("ecs").update_service(cluster=stack.cluster, service=stack.service, taskDefinition=arn)


def test_it_is_in_order_as_deployed(stack: Stack) -> None:
    """The line says what one wants to know: size and port."""
    (task,), (image,) = check_task(stack), check_image(stack)
    assert (task.verdict, task.saw) == (Verdict.OK, "my-scaling-task:1: 256 CPU units, 512 MB, port 80")
    assert image.verdict is Verdict.OK
    assert image.saw.startswith("my-scaling-app:v1 is there, ")


def test_a_pair_that_fargate_does_not_have_is_named_with_those_that_it_has(deployed: Account, stack: Stack) -> None:
    """ECS refuses it only when a task is to start, in an event that nobody reads."""
    register(deployed, stack, cpu="512", memory="512")
    (found,) = check_task(stack)
    assert found.verdict is Verdict.FAIL
    assert found.saw.endswith(
        "512 CPU units with 512 MB, which Fargate does not allow: with 512 go 1024, 2048, 3072, 4096 MB"
    )
    register(deployed, stack, cpu="256", memory="512")
    assert check_task(stack)[0].verdict is Verdict.OK


def test_another_port_than_requests_go_to_is_seen(stack: Stack) -> None:
    """The probe never passes, and every wake times out."""
    (found,) = check_task(replace(stack, parameters={**stack.parameters, "ContainerPort": "8080"}))
    assert (found.verdict, found.saw.partition(" ")[2]) == (
        Verdict.FAIL, "opens the port 80, but requests go to 8080"
    )  # fmt: skip


def test_an_image_that_is_not_in_its_repository_is_a_failure(deployed: Account, stack: Stack) -> None:
    """The lifecycle policy, or somebody who tidied up, has deleted it: nobody notices while the service sleeps."""
    deployed.client("ecr").batch_delete_image(repositoryName="my-scaling-app", imageIds=[{"imageTag": "v1"}])
    (found,) = check_image(stack)
    assert found.verdict is Verdict.FAIL
    assert found.saw.startswith("there is no image ")
    assert "CannotPullContainerError" in found.saw
    deployed.client("ecr").delete_repository(repositoryName="my-scaling-app", force=True)
    (found,) = check_image(stack)
    assert found.saw.startswith("there is no repository ")


def test_an_image_elsewhere_is_not_judged(deployed: Account, stack: Stack) -> None:
    """Docker Hub is not ours to ask, and what cannot be seen is not guessed."""
    box = definition_of(stack)["containerDefinitions"][0]
    register(deployed, stack, containerDefinitions=[box | {"image": "nginx:1.27"}])
    (found,) = check_image(stack)
    assert (found.verdict, found.mend) == (Verdict.OK, "")


@pytest.mark.parametrize(
    ("image", "parts"),
    [
        ("123456789012.dkr.ecr.eu-central-1.amazonaws.com/a/b:v1", ("a/b", "v1", None)),
        ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/a", ("a", None, None)),
        (f"123456789012.dkr.ecr.eu-central-1.amazonaws.com/a@sha256:{'0' * 64}", ("a", None, f"sha256:{'0' * 64}")),
    ],
)
def test_names_of_images_in_ecr_are_read(image: str, parts: tuple[str | None, ...]) -> None:
    """With a tag, a digest or neither, and with folders in the name of the repository."""
    match = ECR_IMAGE.match(image)
    assert match is not None
    assert match.group(3, 4, 5) == parts
