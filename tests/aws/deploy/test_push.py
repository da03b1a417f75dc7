"""An image to a registry: into a real one, with the progress that Docker tells, and what is said when it fails."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.aws.deploy.conftest import Paper
from tests.aws.deploy.docker import why_not, write_app
from tests.registry import registry

from wakegate.aws.deploy.failure import DeployError
from wakegate.aws.deploy.image import Image, inspect, login
from wakegate.aws.deploy.push import Layers, send

needs_docker = pytest.mark.skipif(bool(why_not()), reason=why_not())


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a registry."""
    with registry(tmp_path_factory.mktemp("registry")) as found:
        yield found


@pytest.fixture
def image(tmp_path: Path) -> Iterator[Image]:
    """Build an image that no registry has."""
    write_app(tmp_path, os.urandom(3_000_000))
    command = ["docker", "build", "--quiet", "--tag", f"wakegate-test:{tmp_path.name}", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    yield inspect(done.stdout.strip())
    subprocess.run(["docker", "image", "rm", "--force", done.stdout.strip()], capture_output=True, check=False)


@needs_docker
@pytest.mark.parametrize("is_terminal", [False, True])
def test_an_image_is_pushed_under_its_content(address: str, image: Image, *, is_terminal: bool) -> None:
    """What the task definition names must be there."""
    paper, target = Paper(is_terminal=is_terminal), f"{address}/shop/my-scaling-app:{image.tag}"
    send(image, target, screen=paper, now_s=iter([0.0, 12.0]).__next__)
    assert paper.lines[-1].rpartition("\x1b[K")[2] == f"image    pushed {image.name} (3.0 MB) in 12 s"
    assert ("░" in paper.out.getvalue() or "█" in paper.out.getvalue()) is is_terminal
    assert subprocess.run(["docker", "pull", "--quiet", target], capture_output=True, check=False).returncode == 0


@needs_docker
def test_a_push_that_is_refused_ends_in_the_words_of_the_registry(image: Image) -> None:
    """A full disk, a missing permission, a proxy: only it knows."""
    paper = Paper()
    with pytest.raises(DeployError, match=r"could not be pushed to 127\.0\.0\.1:1/x:1: .*refused"):
        send(image, "127.0.0.1:1/x:1", screen=paper)


@needs_docker
def test_a_login_that_is_refused_says_so() -> None:
    """The password goes in by a pipe, and is not in the message."""
    with pytest.raises(DeployError, match=r"could not log in to 127\.0\.0\.1:1: ") as caught:
        login("127.0.0.1:1", user="AWS", password="not-to-be-seen")
    assert "not-to-be-seen" not in str(caught.value)


def test_the_bytes_of_all_layers_are_added_up() -> None:
    """As Docker tells them to a terminal, with its escapes."""
    layers = Layers()
    for line in (
        "The push refers to repository [127.0.0.1/x]",
        "3f2c1e556677: Preparing",
        "\x1b[1A\x1b[2K3f2c1e556677: Pushing [====>      ]  12.5MB/84.2MB\x1b[1B",
        "aabbccddeeff: Pushing [=>  ]     512B/1.024kB",
        "001122334455: Layer already exists",
    ):
        layers.feed(line)
    assert (layers.sent_bytes, layers.size_bytes) == (12_500_512, 84_201_024)
    assert (layers.ended_count, layers.count) == (1, 3)
    layers.feed("3f2c1e556677: Pushed")
    assert (layers.sent_bytes, layers.ended_count) == (84_200_512, 2)
