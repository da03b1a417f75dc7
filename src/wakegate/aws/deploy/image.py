"""From a directory, a Dockerfile, a local image or an ECR URI to the image that a task runs."""

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from wakegate.aws.deploy.account import Account
from wakegate.aws.deploy.failure import DeployError, told

ECR = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?/"
    r"(?P<name>[a-z0-9][a-z0-9._/-]*)(?::(?P<tag>[\w.-]+))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
ECR_PUBLIC = re.compile(r"public\.ecr\.aws/.+")
PLATFORMS = {"x86_64": "linux/amd64", "arm64": "linux/arm64"}
ARCHITECTURES = {"amd64": "x86_64", "arm64": "arm64"}
TAG_LENGTH = 12
STDERR = 2

NO_DOCKER = (
    "Docker builds and pushes the image, and there is no docker command here. "
    "Install it (https://docs.docker.com/get-docker/), or give the URI of an image that is in ECR."
)
NOT_RUNNING = "Docker is not running. Start it (Docker Desktop, or: sudo systemctl start docker), then again."
NOT_ALLOWED = "This user may not use Docker. Run: sudo usermod -aG docker $USER, log in anew, then again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An image: `uri` if it is in a registry already, else its `id` here."""

    uri: str = ""
    id: str = ""
    size_bytes: int = 0
    architecture: str = ""  # as the template says it; empty where it is not known
    ports: tuple[int, ...] = ()  # that it exposes
    name: str = ""  # as the user knows it

    @property
    def tag(self) -> str:
        """Return a tag that is another one whenever the content is."""
        return self.id.removeprefix("sha256:")[:TAG_LENGTH]


def find(what: str, *, account: Account, architecture: str) -> Image:
    """Return the image that `what` means; a directory is built, for `architecture` (default: x86_64)."""
    if ECR.fullmatch(what) or ECR_PUBLIC.fullmatch(what):
        return _in_registry(what, account)
    path = Path(what)
    if path.is_file():
        return _build(path.parent, file=path, architecture=architecture)
    if what.startswith((".", "/")) and not path.exists():
        raise DeployError(
            f"There is no {what}. Give a directory with a Dockerfile, an image, or the URI of one in ECR."
        )
    if path.is_dir() and ((path / "Dockerfile").is_file() or what.endswith(("/", ".")) or os.sep in what):
        return _build(path, file=path / "Dockerfile", architecture=architecture)
    return inspect(what)


def _in_registry(uri: str, account: Account) -> Image:
    """Look an image of this account up; of others nothing is known, and Fargate will say."""
    match = ECR.fullmatch(uri)
    if match is None or match["account"] != account.id:
        return Image(uri=uri, name=uri.rpartition("/")[2])
    if match["region"] != account.region:
        raise DeployError(
            f"{uri} is in {match['region']}, the stack would be in {account.region}: a task would pull it across the "
            f"world. Deploy with --region {match['region']}, or copy the image."
        )
    wanted = {"imageDigest": match["digest"]} if match["digest"] else {"imageTag": match["tag"] or "latest"}
    with told(account.region):
        try:
            found = account.ecr.describe_images(repositoryName=match["name"], imageIds=[wanted])["imageDetails"]  # type: ignore[list-item]  # one of the two keys
        except (
            account.ecr.exceptions.RepositoryNotFoundException,
            account.ecr.exceptions.ImageNotFoundException,
        ) as error:
            raise DeployError(
                f"There is no image {uri}. What is there: aws ecr list-images --repository-name {match['name']}"
            ) from error
    return Image(uri=uri, name=uri.rpartition("/")[2], size_bytes=found[0].get("imageSizeInBytes", 0))


def _build(directory: Path, *, file: Path, architecture: str) -> Image:
    if not file.is_file():
        raise DeployError(f"There is no Dockerfile in {directory.resolve()}. Write one, or give an image.")
    with tempfile.TemporaryDirectory() as folder:
        id_file = Path(folder, "id")
        platform = PLATFORMS[architecture or "x86_64"]
        arguments = ("--platform", platform, "--iidfile", str(id_file), "--file", str(file), str(directory))
        # Its own progress is the best there is of a build: it goes to the terminal as it is.
        command = docker("build", *arguments, is_shown=True)
        if command.returncode != 0:
            docker_answers()
            raise DeployError(
                f"The image could not be built; Docker's own words are above. By hand: docker build {directory}"
            )
        found = inspect(id_file.read_text(encoding="utf-8").strip())
    return Image(
        id=found.id,
        size_bytes=found.size_bytes,
        architecture=found.architecture,
        ports=found.ports,
        name=f"{directory.resolve().name}:{found.tag[:6]}",
    )


def inspect(reference: str) -> Image:
    """Return an image that Docker has here."""
    done = docker("image", "inspect", reference)
    if done.returncode != 0:
        docker_answers()
        raise DeployError(
            f'There is neither a directory with a Dockerfile nor an image called "{reference}" here. '
            f"If it is an image elsewhere, run: docker pull {reference}, then again."
        )
    found = json.loads(done.stdout)[0]
    ports = tuple(
        int(port.partition("/")[0]) for port in found["Config"].get("ExposedPorts") or {} if "udp" not in port
    )
    return Image(
        id=found["Id"],
        size_bytes=found["Size"],
        architecture=ARCHITECTURES.get(found["Architecture"], found["Architecture"]),
        ports=ports,
        name=reference,
    )


def login(registry: str, *, user: str, password: str) -> None:
    """Let Docker push to a registry; the password goes in by a pipe, so that no list of processes shows it."""
    done = docker("login", "--username", user, "--password-stdin", registry, stdin=password)
    if done.returncode != 0:
        raise DeployError(f"Docker could not log in to {registry}: {last_line(done.stderr)}")


def tag(image: Image, target: str) -> None:
    """Give an image the name that it is pushed by."""
    done = docker("tag", image.id, target)
    if done.returncode != 0:
        raise DeployError(f"The image {image.name} could not be tagged: {last_line(done.stderr)}")


def docker_answers() -> None:
    """Raise what keeps Docker from answering, if anything does."""
    done = docker("version", "--format", "{{.Server.Version}}")
    if done.returncode == 0:
        return
    if "permission denied" in done.stderr.lower():
        raise DeployError(NOT_ALLOWED)
    raise DeployError(NOT_RUNNING)


def docker(
    *arguments: str, stdin: str | None = None, is_shown: bool = False, environ: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command of Docker's to its end; `is_shown` leaves its output to the terminal (stdout is ours)."""
    try:
        return subprocess.run(  # noqa: S603  no shell; the arguments are ours or name the user's own image
            ["docker", *arguments],  # noqa: S607  whichever docker the user has
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            stdout=STDERR if is_shown else subprocess.PIPE,
            stderr=None if is_shown else subprocess.PIPE,
            text=True,
            errors="replace",
            # Attestations would make an index of the image, which a tag by content does not need.
            env={**os.environ, "BUILDX_NO_DEFAULT_ATTESTATIONS": "1", **(environ or {})},
            check=False,
        )
    except FileNotFoundError as error:
        raise DeployError(NO_DOCKER) from error


def last_line(text: str) -> str:
    """Return the last words of a program."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"
