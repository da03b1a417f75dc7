"""What the settings of containers take, and what they say to what Docker would refuse, or understand otherwise."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wakegate.config.container import (
    COMPOSE_PROJECT,
    COMPOSE_SERVICE,
    CONTAINER,
    IMAGE,
    LABELS,
    NETWORK,
    USER,
    VOLUMES,
)
from wakegate.config.kind import Kind
from wakegate.config.show import UnfitError


@pytest.mark.parametrize(
    "image",
    [
        "nginx",
        "nginx:1.27-alpine",
        "shop/web",
        "registry.example:5000/shop/web:2",
        "localhost/web",
        "ghcr.io/a/b_c/d__e-f:V1.2",
        "[::1]:5000/web",
        "web@sha256:" + "0a" * 32,
        "web:1@sha256:" + "0a" * 32,
    ],
)
def test_an_image_is_taken_as_docker_writes_it(image: str) -> None:
    """With its registry, tag and digest, or without."""
    assert IMAGE.read(image) == image


@pytest.mark.parametrize(
    "image", ["", " ", "-web", "web:", "web tag", "https://registry.example/web", "web@sha256:1", "a//b"]
)
def test_what_is_no_image_is_told_before_docker_is_asked(image: str) -> None:
    """At the start, not at the first visitor."""
    with pytest.raises(UnfitError, match='is no image; write "nginx:'):
        IMAGE.read(image)


def test_an_image_in_capitals_is_told_its_own_name() -> None:
    """The commonest slip: a folder's name taken for the image's."""
    with pytest.raises(UnfitError, match='"Shop:1" is no image: names are in lower case; write "shop:1"'):
        IMAGE.read("Shop:1")


@pytest.mark.parametrize(
    ("written", "held"),
    [
        ("data:/data", "data:/data"),
        ("./data:/data:ro", "/srv/shop/data:/data:ro"),
        (".:/app", "/srv/shop:/app"),
        ("../other:/app:ro,z", "/srv/shop/../other:/app:ro,z"),
        ("/etc/app:/etc/app:ro", "/etc/app:/etc/app:ro"),
        ("/cache", "/cache"),
    ],
)
def test_a_volume_from_a_folder_starts_at_the_file(written: str, held: str) -> None:
    """As in a Compose file; the gateway may run somewhere else."""
    assert VOLUMES.placed(VOLUMES.read([written]), folder=Path("/srv/shop")) == (held,)


def test_a_volume_from_home_is_found_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """No shell is involved that would do it."""
    monkeypatch.setenv("HOME", "/home-of-somebody")
    volumes = VOLUMES.placed(VOLUMES.read(["~/data:/data"]), folder=Path("/srv"))
    assert volumes == ("/home-of-somebody/data:/data",)


@pytest.mark.parametrize(
    ("volume", "said"),
    [
        ("data", "is no volume"),
        ("data:relative", "is no volume"),
        ("a:/b:ro:z", "is no volume"),
        ("/cache:ro", 'write "name:/cache:ro"'),
        ("data/x:/data", 'is no name of a volume; a folder begins with "./"'),
        ("data:/data:readonly", 'unknown option "readonly"; write "ro"'),
        ("~nobody-of-this-name/data:/data", "this machine has no such user"),
    ],
)
def test_a_volume_that_docker_would_take_for_something_else_is_told(volume: str, said: str) -> None:
    """ "data/x" would be an error at the first visitor, "~x" a folder of that name."""
    with pytest.raises(UnfitError, match=said):
        VOLUMES.read([volume])


@pytest.mark.parametrize("network", ["host", "none", "container:db", "service:db"])
def test_a_network_without_addresses_of_its_own_is_refused(network: str) -> None:
    """Two replicas would share one port, or nothing could be reached."""
    with pytest.raises(UnfitError, match="a replica needs an address of its own"):
        NETWORK.read(network)


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        (NETWORK, "bridge", "leave it out"),
        (NETWORK, "a b", "docker network ls"),
        (CONTAINER, "a/b", "docker ps --all"),
        (COMPOSE_SERVICE, "a b", "one that stands in its file"),
        (COMPOSE_PROJECT, "Shop", "docker compose ls"),
        (USER, "a b", 'write "1000"'),
        (LABELS, ["a=b"], "is no table"),
        (LABELS, {"a": 1}, "a is no text"),
        (LABELS, {"a=b": "1"}, "is no name of a label"),
        (LABELS, {"wakegate.service": "x"}, "the gateway's own"),
    ],
    ids=range(10),
)
def test_what_is_wrong_is_told_with_what_is_right(kind: Kind, value: object, said: str) -> None:
    """And where to look it up."""
    with pytest.raises(UnfitError, match=said):
        kind.read(value)


@pytest.mark.parametrize("user", ["1000", "1000:1000", "app", "www-data:www-data"])
def test_a_user_may_be_a_number_or_a_name(user: str) -> None:
    """As in a Dockerfile."""
    assert USER.read(user) == user


@pytest.mark.parametrize("kind", [IMAGE, CONTAINER, COMPOSE_SERVICE, COMPOSE_PROJECT, USER, NETWORK])
@given(text=st.text(max_size=12))
def test_whatever_is_written_is_taken_as_it_is_or_refused(kind: Kind, text: str) -> None:
    """Nothing becomes something else, and nothing breaks."""
    try:
        assert kind.read(text) == text
    except UnfitError:
        return


@given(text=st.text("a/.~:ro,", max_size=12))
def test_whatever_volume_is_written_its_source_is_absolute_or_a_name(text: str) -> None:
    """The daemon knows nothing of the gateway's folder."""
    try:
        (volume,) = VOLUMES.placed(VOLUMES.read([text]), folder=Path("/srv"))
    except UnfitError:
        return
    source = volume.partition(":")[0]
    assert source.startswith("/") or "/" not in source
