"""The words of the Engine API for a service: what is asked for, and nothing that was not."""

from dataclasses import replace

from wakegate.core.spec import ContainerSpec
from wakegate.local.backend.docker.create import body, fingerprint, labels_of

SPEC = ContainerSpec(image="shop", port=8000)


def test_without_a_network_a_free_port_of_this_machine_is_asked_for() -> None:
    """Port "" lets Docker choose; 127.0.0.1 keeps everybody else out."""
    made = body(SPEC, image="sha256:1", port=8000, labels={})
    assert made["HostConfig"]["PortBindings"] == {"8000/tcp": [{"HostIp": "127.0.0.1", "HostPort": ""}]}
    assert made["Env"] == ["PORT=8000"]
    assert "Cmd" not in made
    assert "User" not in made


def test_in_a_network_nothing_is_published() -> None:
    """It is reached by its address there."""
    made = body(replace(SPEC, network="shop"), image="sha256:1", port=8000, labels={})
    assert made["HostConfig"]["NetworkMode"] == "shop"
    assert "PortBindings" not in made["HostConfig"]


def test_the_port_is_filled_in_and_the_users_own_variables_win() -> None:
    """As for processes: {port} wherever an app wants to read it."""
    spec = replace(SPEC, command=("serve", "-b", ":{port}"), env=(("URL", "http://x:{port}"), ("PORT", "1{port}")))
    made = body(spec, image="sha256:1", port=80, labels={})
    assert made["Cmd"] == ["serve", "-b", ":80"]
    assert made["Env"] == ["PORT=180", "URL=http://x:80"]


def test_volumes_with_and_without_a_source() -> None:
    """One without is anonymous: made with the container, removed with it."""
    spec = replace(SPEC, volumes=("/a:/b:ro", "data:/c", "/d"))
    made = body(spec, image="sha256:1", port=80, labels={})
    assert (made["HostConfig"]["Binds"], made["Volumes"]) == (["/a:/b:ro", "data:/c"], {"/d": {}})


def test_labels_of_the_user_never_replace_ours() -> None:
    """By ours a container is found again; a wrong one would be somebody else's."""
    labels = labels_of("web", replace(SPEC, labels=(("a", "b"), ("wakegate.owner", "x"))), owner="me", number=3)
    assert labels["a"] == "b"
    assert (labels["wakegate.owner"], labels["wakegate.service"], labels["wakegate.number"]) == ("me", "web", "3")


def test_the_fingerprint_changes_with_what_a_running_container_cannot_change() -> None:
    """Log limits are ours to apply; everything else makes another container."""
    assert fingerprint(SPEC) == fingerprint(replace(SPEC, log_bytes_max=1))
    others = (
        replace(SPEC, port=1),
        replace(SPEC, env=(("A", "1"),)),
        replace(SPEC, memory_bytes=1),
        replace(SPEC, image="x"),
    )
    assert len({fingerprint(SPEC), *map(fingerprint, others)}) == 5
