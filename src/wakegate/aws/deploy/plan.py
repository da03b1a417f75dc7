"""What a deployment will do, decided from facts alone: nothing here asks or changes anything."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from wakegate.aws.deploy.facts import Facts, Stack
from wakegate.aws.deploy.failure import DeployError
from wakegate.aws.deploy.image import ECR, Image
from wakegate.aws.deploy.options import DEFAULTS, PARAMETERS, Values, is_prefix, problems_of
from wakegate.aws.settings import HTTP_API_REQUEST_S
from wakegate.core.errors import ConfigError
from wakegate.core.say import say_bytes, say_duration

DEFAULT_STACK = "wakegate"
PREVIOUS = None  # the value that the stack has
# Two public reports: 900 MB in about 53 s, 250 MB in about 46 s (aws/containers-roadmap, issues 696 and 358).
PULL_BYTES_PER_S = 10_000_000

UPDATABLE = frozenset(
    ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE", "IMPORT_ROLLBACK_COMPLETE")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A deployment; a parameter that is `PREVIOUS` keeps the value that the stack has."""

    stack: str
    is_new: bool
    parameters: Mapping[str, str | None]
    image: Image
    image_uri: str
    pushes: bool
    pushes_first: bool  # else the stack makes the repository
    bucket: str
    makes_bucket: bool
    key: str
    notes: tuple[str, ...] = ()


def refuse(stack: Stack | None, *, region: str) -> None:
    """Raise the reason why a stack takes no change of ours."""
    if stack is None:
        return
    name, status = stack.name, stack.status
    if not stack.is_ours:
        raise DeployError(f"Stack {name} is not of Wakegate; it is not touched. Choose another name: --stack NAME")
    if stack.is_new or status in UPDATABLE:
        return
    if status.endswith("_IN_PROGRESS"):
        raise DeployError(
            f"Stack {name} is being changed just now ({status}), by somebody else or a deploy that was interrupted. "
            "Wait for it, then again; to look: "
            f"aws cloudformation describe-stacks --stack-name {name} --region {region}"
        )
    if status == "UPDATE_ROLLBACK_FAILED":
        raise DeployError(
            f"Stack {name} could not go back after a failed change ({status}). Run: "
            f"aws cloudformation continue-update-rollback --stack-name {name} --region {region}, then again."
        )
    raise DeployError(
        f"Stack {name} failed and takes no changes any more ({status}). "
        f"Run: wakegate destroy --stack {name} --region {region} --keep-data, then again."
    )


def effective(given: Values, *, stack_name: str, stack: Stack | None) -> dict[str, str]:
    """Return the value of every parameter: as given, else as the stack has it, else the default."""
    previous = stack.parameters if stack and not stack.is_new else {}
    values = {**DEFAULTS, **{name: value for name, value in previous.items() if name in PARAMETERS}, **given}
    if not previous and "Prefix" not in given and stack_name != DEFAULT_STACK:
        values["Prefix"] = prefix_of(stack_name)
    if given.get("VpcId") and "SubnetIds" not in given:
        values["SubnetIds"] = ""  # those of the other VPC
    if given.get("SubnetIds") and "VpcId" not in given:
        values["VpcId"] = ""
    return values


def prefix_of(stack_name: str) -> str:
    """Return what stands before the names of a stack that is not the default one."""
    prefix = f"{stack_name.lower()}-"
    if not is_prefix(prefix):
        raise DeployError(
            f'The names of stack {stack_name} need a short prefix of their own. Add one: --prefix "shop-"'
        )
    return prefix


def decide(facts: Facts, image: Image, *, given: Values, stack_name: str, key: str) -> Plan:
    """Decide what is deployed; raise what keeps it from being so."""
    stack = facts.stack
    is_new = stack is None or stack.is_new
    values = effective(given, stack_name=stack_name, stack=stack)
    found, notes = dict(_from_image(image, values, given=given, is_new=is_new)), []
    if "ContainerPort" in found:
        notes.append(f"port {found['ContainerPort']}, as the image exposes it (else: --port)")
    if facts.network:
        found |= {"VpcId": facts.network.vpc_id, "SubnetIds": ",".join(facts.network.subnet_ids)}
    found |= _kept(facts, values, is_new=is_new, pushes=not image.uri)
    if is_new and facts.has_table:
        notes.append(f"uses the table {values['Prefix']}{values['TableName']} that is there, with its sessions")
    repository = f"{values['Prefix']}{values['RepositoryName']}"
    registry = f"{facts.account_id}.dkr.ecr.{facts.region}.{facts.dns_suffix}"
    uri = image.uri or f"{registry}/{repository}:{image.tag}"
    found |= {"Image": uri, "ImageRepositoryArn": _repository_arn(image, facts=facts)}
    found |= {"CodeBucket": facts.bucket, "CodeKey": key, "FirstDeploy": "true" if is_new else "false"}
    if is_new and values["Prefix"]:
        found["Prefix"] = values["Prefix"]
    problems = tuple(_problems(facts, image, {**values, **found}, stack_name=stack_name))
    if problems:
        raise ConfigError(problems)
    previous = {} if is_new or stack is None else dict.fromkeys(PARAMETERS & set(stack.parameters), PREVIOUS)
    if not facts.has_bucket:
        notes.append(f"makes the bucket {facts.bucket} for the functions' code")
    return Plan(
        stack=stack_name,
        is_new=is_new,
        parameters={**previous, **given, **found},
        image=image,
        image_uri=uri,
        pushes=not image.uri and image.tag not in facts.image_tags,
        pushes_first=facts.has_repository,
        bucket=facts.bucket,
        makes_bucket=not facts.has_bucket,
        key=key,
        notes=tuple(notes),
    )


def _from_image(image: Image, values: Values, *, given: Values, is_new: bool) -> Iterator[tuple[str, str]]:
    """Take from the image what the user need not say."""
    if image.architecture and image.architecture != values["Architecture"] and "Architecture" not in given:
        yield "Architecture", image.architecture
    if is_new and "ContainerPort" not in given and len(image.ports) == 1:
        yield "ContainerPort", str(image.ports[0])


def _kept(facts: Facts, values: Values, *, is_new: bool, pushes: bool) -> dict[str, str]:
    """Say whether the stack makes repository and table; what it has made stays its own."""
    kept = {}
    for name, is_there, is_needed in (
        ("CreateRepository", facts.has_repository, pushes),
        ("CreateTable", facts.has_table, True),
    ):
        is_ours = not is_new and values.get(name) == "true"
        if not is_ours:
            kept[name] = "true" if is_needed and not is_there else "false"
    return kept


def _repository_arn(image: Image, *, facts: Facts) -> str:
    """Return what the tasks must be allowed to pull from, if it is not the stack's own repository."""
    match = ECR.fullmatch(image.uri)
    if match is None:
        return ""
    return f"arn:{facts.partition}:ecr:{match['region']}:{match['account']}:repository/{match['name']}"


def _problems(facts: Facts, image: Image, values: Values, *, stack_name: str) -> Iterator[str]:
    yield from problems_of(values, request_s=request_s(values))
    if image.architecture and image.architecture != values["Architecture"]:
        yield f"--arch: the image is built for {image.architecture}, not for {values['Architecture']}"
    if facts.names_owner not in ("", stack_name):
        prefix = f'"{values["Prefix"]}"' if values["Prefix"] else "without a prefix"
        own = "staging-" if values["Prefix"] == "shop-" else "shop-"
        yield f'--prefix: the names {prefix} belong to stack {facts.names_owner}; give it its own, as in "{own}"'
    if facts.has_table and facts.table_key != "uuid":
        name = f"{values['Prefix']}{values['TableName']}"
        key = facts.table_key
        yield f'--prefix: the table {name} is not of Wakegate (its key is "{key}"); a prefix gives it one of its own'


def request_s(values: Values) -> int:
    """Return the longest request that the front allows."""
    return int(HTTP_API_REQUEST_S) if values["Front"] == "http-api" else int(values["WakeTimeout"])


def say_plan(plan: Plan, *, account_id: str, region: str) -> Iterator[str]:
    """Say where it goes and what with."""
    yield f"account {account_id} · {region} · stack {plan.stack}"
    yield f"  image {say_image(plan.image)}"
    for note in plan.notes:
        yield f"  {note}"


def say_image(image: Image) -> str:
    """Say an image with its size and what that costs at each cold start: Fargate pulls it for every task."""
    if not image.size_bytes:
        return image.name
    pull = say_duration(max(1, round(image.size_bytes / PULL_BYTES_PER_S)))
    if image.uri:
        return f"{image.name} ({say_bytes(image.size_bytes)}, adds ≈ {pull} to a cold start)"
    return f"{image.name} ({say_bytes(image.size_bytes)} unpacked, adds at most ≈ {pull} to a cold start)"
