"""From a directory, a Dockerfile, a local image or an ECR URI to an image; and what is said without Docker."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.account.account import Account as Emulated
from tests.aws.deploy.docker import DOCKERFILE, why_not, write_app

from wakegate.aws.deploy.account import Account
from wakegate.aws.deploy.failure import DeployError
from wakegate.aws.deploy.image import NO_DOCKER, NOT_RUNNING, Image, find, inspect, last_line

needs_docker = pytest.mark.skipif(bool(why_not()), reason=why_not())
ECR = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
MANIFEST = (
    '{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json",'
    '"config":{"digest":"sha256:0","size":1},"layers":[{"digest":"sha256:1","size":25000000}]}'
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, account: Account) -> Iterator[tuple[Path, Image]]:
    """Build an image once, and take it away again."""
    folder = write_app(tmp_path_factory.mktemp("shop"), os.urandom(1000))
    image = find(str(folder), account=account, architecture="")
    yield folder, image
    subprocess.run(["docker", "image", "rm", "--force", image.id], capture_output=True, check=False)


@needs_docker
def test_a_directory_is_built(built: tuple[Path, Image]) -> None:
    """Size, processor and port come from the image itself."""
    folder, image = built
    assert (image.architecture, image.ports, image.uri) == ("x86_64", (8080,), "")
    assert image.size_bytes == 1000
    assert image.name == f"{folder.name}:{image.tag[:6]}"


@needs_docker
def test_the_same_content_has_the_same_tag(built: tuple[Path, Image], account: Account) -> None:
    """Then a deploy without a change is none, and its image is not pushed again."""
    folder, image = built
    assert find(str(folder / "Dockerfile"), account=account, architecture="x86_64").tag == image.tag
    assert len(image.tag) == 12


@needs_docker
def test_an_image_that_is_here_is_found_by_its_name(built: tuple[Path, Image], account: Account) -> None:
    """Whoever builds by other means needs no Dockerfile."""
    _, image = built
    assert find(image.id, account=account, architecture="").size_bytes == image.size_bytes


@needs_docker
def test_another_processor_can_be_built_for(tmp_path: Path, account: Account) -> None:
    """Graviton is cheaper."""
    image = find(str(write_app(tmp_path, b"arm")), account=account, architecture="arm64")
    assert image.architecture == "arm64"


@needs_docker
def test_a_build_that_fails_leaves_the_word_to_docker(
    tmp_path: Path, account: Account, capfd: pytest.CaptureFixture[str]
) -> None:
    """Its output names the line; ours need only not hide it, nor mix it into what is piped."""
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY missing /\n", encoding="utf-8")
    with pytest.raises(DeployError, match=f"could not be built.* docker build {tmp_path}"):
        find(str(tmp_path), account=account, architecture="")
    out, err = capfd.readouterr()
    assert "missing" in err
    assert out == ""


@needs_docker
def test_an_image_that_is_nowhere_says_how_to_get_it(account: Account) -> None:
    """An image of another registry must be here first."""
    with pytest.raises(DeployError, match=r'nor an image called "no-such:1" here.* docker pull no-such:1'):
        inspect("no-such:1")


def test_a_directory_without_a_dockerfile_is_said(tmp_path: Path, account: Account) -> None:
    """It is the commonest mistake of `wakegate deploy .`."""
    with pytest.raises(DeployError, match=f"There is no Dockerfile in {tmp_path}. Write one, or give an image."):
        find(f"{tmp_path}/", account=account, architecture="")


def test_a_path_that_does_not_exist_is_no_image(account: Account) -> None:
    """Nobody who writes "./" means an image."""
    with pytest.raises(DeployError, match=r"There is no \./no-such\. Give a directory"):
        find("./no-such", account=account, architecture="")


def test_without_docker_it_says_what_else_there_is(
    tmp_path: Path, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An image that is in ECR needs no Docker here."""
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "Dockerfile").write_text(DOCKERFILE, encoding="utf-8")
    with pytest.raises(DeployError) as caught:
        find(str(tmp_path), account=account, architecture="")
    assert str(caught.value) == NO_DOCKER


@pytest.mark.skipif("docker command" in why_not(), reason=why_not())
@pytest.mark.parametrize("what", ["shop:1", "folder"])
def test_a_docker_that_does_not_run_is_said(
    what: str, tmp_path: Path, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Docker Desktop is not started, or the service is down."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody")
    write_app(tmp_path, b"x")
    with pytest.raises(DeployError) as caught:
        find(str(tmp_path) if what == "folder" else what, account=account, architecture="")
    assert str(caught.value) == NOT_RUNNING


def test_an_image_in_ecr_is_looked_up(account: Account, emulated: Emulated) -> None:
    """Its packed size is what every cold start pulls."""
    account.ecr.create_repository(repositoryName="there")
    account.ecr.put_image(repositoryName="there", imageManifest=MANIFEST, imageTag="1")
    image = find(f"{ECR}/there:1", account=account, architecture="")
    assert (image.uri, image.name, image.tag) == (f"{ECR}/there:1", "there:1", "")
    assert image.size_bytes > 0


@pytest.mark.parametrize("name", ["there-not:1", "there:2"])
def test_an_image_that_is_not_in_ecr_says_how_to_see_what_is(name: str, account: Account) -> None:
    """Else each wake would fail, minutes later, with a reason in ECS's own events."""
    with pytest.raises(DeployError, match=f"There is no image {ECR}/{name}.*aws ecr list-images"):
        find(f"{ECR}/{name}", account=account, architecture="")


def test_an_image_of_another_region_is_refused(account: Account) -> None:
    """Each cold start would pull it from there, and pay for it."""
    uri = "123456789012.dkr.ecr.us-east-1.amazonaws.com/shop:1"
    with pytest.raises(DeployError, match="is in us-east-1, the stack would be in eu-central-1"):
        find(uri, account=account, architecture="")


@pytest.mark.parametrize("uri", ["999999999999.dkr.ecr.us-east-1.amazonaws.com/shop:1", "public.ecr.aws/nginx/nginx:1"])
def test_of_an_image_of_somebody_else_nothing_is_asked(uri: str, account: Account) -> None:
    """Only Fargate can tell whether it may pull it."""
    assert find(uri, account=account, architecture="").uri == uri


def test_the_last_words_of_a_program_are_found() -> None:
    """What stands before them is its progress."""
    assert last_line("a\nb: denied\n\n") == "b: denied"
    assert last_line(" \n") == "it said nothing"
