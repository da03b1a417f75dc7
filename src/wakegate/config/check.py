"""What no single setting can know: values that must fit each other, other services, and this machine."""

import os
from collections.abc import Mapping
from pathlib import Path

from wakegate.config.draft import Draft, Values
from wakegate.config.listen import UNIX_PATH_BYTES_MAX
from wakegate.config.number import Duration
from wakegate.config.run import EXISTING, FIXED_PORT, check_run, why_only_one
from wakegate.config.show import whole
from wakegate.config.wakes import check_wakes, unrouted
from wakegate.core.spec import UNIX_PEER

SAY = Duration().write


def check_service(values: Values, draft: Draft) -> None:
    """Check one service, and fit `scale.max` to what can run only once."""
    check_run(values, draft)
    _directory(values, draft)
    _replicas(values, draft)
    _times(values, draft)
    _pause(values, draft)


def check_all(gateway: Values, services: Mapping[str, Values], draft: Draft) -> None:
    """Check the services against each other, and against the gateway."""
    _tls(gateway, draft)
    _socket(gateway, draft)
    _proxy_protocol(gateway, draft)
    _shares(gateway, draft)
    names: dict[str, str] = {}
    places: dict[tuple[str, str], str] = {}
    containers: dict[tuple[str, ...], str] = {}
    check_wakes(services, draft)
    placeless = unrouted(services)
    for name, values in services.items():
        _name(name, names, values, draft)
        _container(name, containers, values, draft)
        _host_port(gateway, values, draft)
        if values.are_sound("hosts", "path") and name not in placeless:
            _place(name, places, values, draft)


def _directory(values: Values, draft: Draft) -> None:
    directory = values.by_name.get("directory")
    if directory is None:
        return
    try:
        is_there = Path(directory).is_dir()
    except OSError:  # a name that is too long, a folder above it that may not be entered
        is_there = False
    if not is_there:
        draft.refuse(values.where("directory"), f"{whole(directory)} is no folder here; make it, or write another")


def _replicas(values: Values, draft: Draft) -> None:
    if not values.are_sound("port", "scale.max", "scale.min"):
        return
    once = why_only_one(values)
    port, least, most = (values.by_name[name] for name in ("port", "scale.min", "scale.max"))
    if once and "scale.max" not in values.given:
        values.by_name["scale.max"] = most = 1
    if once == FIXED_PORT and most > 1:
        text = f"{most} replicas cannot share port {port}; write max = 1, or take port out and use {{port}} in command"
        draft.refuse(values.where("scale.max"), text)
    elif once and most > 1:
        draft.refuse(
            values.where("scale.max"), f"{most} replicas cannot be made of {once}; write max = 1, or run an image"
        )
    elif least > most:
        why = "" if "scale.max" in values.given else f" ({once or 'the default'})"
        text = f"{least} is more than max, which is {most}{why}; raise max or lower min"
        draft.refuse(values.where("scale.min"), text)


def _times(values: Values, draft: Draft) -> None:
    _at_most(values, draft, "hold.timeout", "wake.timeout", why="nobody waits longer than a wake may take")
    _at_most(
        values,
        draft,
        "wake.backoff_min",
        "wake.backoff_max",
        why="the pause after failures grows from one to the other",
    )


def _pause(values: Values, draft: Draft) -> None:
    if values.are_sound("sleep.mode") and "sleep.then_stop_after" in values.given:
        mode = values.by_name["sleep.mode"]
        if mode != "pause":
            text = f'nothing is paused with mode = "{mode}"; write mode = "pause", or take it out'
            draft.refuse(values.where("sleep.then_stop_after"), text)


def _at_most(values: Values, draft: Draft, less: str, more: str, *, why: str) -> None:
    if not values.are_sound(less, more) or values.by_name[less] is None:
        return
    if values.by_name[less] > values.by_name[more]:
        found, bound = SAY(values.by_name[less]), SAY(values.by_name[more])
        which = less if less in values.given else more
        text = f"{less} ({found}) is longer than {more} ({bound}); {why}: lower one or raise the other"
        draft.refuse(values.where(which), text)


def _name(name: str, names: dict[str, str], values: Values, draft: Draft) -> None:
    """Refuse names that are one as an environment variable or on a disk that ignores case."""
    other = names.setdefault(name.upper().replace("-", "_"), name)
    if other != name:
        draft.refuse(
            values.at, f'"{name}" and "{other}" are too alike; write names that differ in more than case, - and _'
        )


def _container(name: str, containers: dict[tuple[str, ...], str], values: Values, draft: Draft) -> None:
    """Refuse two services of one container: one would put to sleep what the other has woken."""
    for source in ("container", "compose"):
        key = tuple(str(values.by_name.get(part)) for part in (source, *EXISTING[source]))
        other = containers.setdefault(key, name) if values.by_name.get(source) else name
        if other != name:
            text = f'"{other}" runs this container already; give that one more hosts, or take one out'
            draft.refuse(values.where(source), text)


def _tls(gateway: Values, draft: Draft) -> None:
    """A certificate is of no use without its key, nor a key without its certificate."""
    for name, other in (("tls_certificate", "tls_key"), ("tls_key", "tls_certificate")):
        if name in gateway.given and other not in gateway.given:
            draft.refuse(gateway.where(name), f"it needs {other} as well; write both, or neither for plain HTTP")


def _socket(gateway: Values, draft: Draft) -> None:
    """Refuse a path that the kernel would: it is as long as it is below the folder of the file."""
    if not gateway.are_sound("listen"):
        return
    path = gateway.by_name["listen"][2]
    size, most = len(os.fsencode(path)), UNIX_PATH_BYTES_MAX
    if size > most:
        text = f"{whole(path)} is {size} bytes long, and the path of a socket may have {most}; write a shorter one"
        draft.refuse(gateway.where("listen"), text)


def _proxy_protocol(gateway: Values, draft: Draft) -> None:
    """Who may say that a client is somebody else must have been named: else everybody could, or nobody may come."""
    names = ("listen", "proxy_protocol", "trusted_proxies")
    if not gateway.are_sound(*names) or not gateway.by_name["proxy_protocol"]:
        return
    trusted, is_unix = set(gateway.by_name["trusted_proxies"]), bool(gateway.by_name["listen"][2])
    is_said = "listen" in gateway.given  # else systemd may bring a socket of either kind
    example = '["unix"]' if is_unix else '["127.0.0.1"]'
    if not trusted:
        text = f"true needs trusted_proxies as well: from whom the header is believed; write {example}"
        draft.refuse(gateway.where("proxy_protocol"), text)
    elif is_said and (UNIX_PEER not in trusted if is_unix else trusted == {UNIX_PEER}):
        door = "a Unix socket" if is_unix else "a TCP port"
        text = f"with proxy_protocol nobody could connect: the gateway listens on {door}; write {example}"
        draft.refuse(gateway.where("trusted_proxies"), text)


def _shares(gateway: Values, draft: Draft) -> None:
    """Each worker needs room for one client."""
    if gateway.are_sound("connections_max", "workers"):
        most, count = gateway.by_name["connections_max"], gateway.by_name["workers"]
        if most < count:
            text = f"{most} is less than workers ({count}), and each of them has its share; raise it"
            draft.refuse(gateway.where("connections_max"), text)


def _host_port(gateway: Values, values: Values, draft: Draft) -> None:
    if gateway.are_sound("listen") and gateway.by_name["listen"][1] in values.host_ports:
        port = gateway.by_name["listen"][1]
        text = (
            f"it publishes port {port}, where the gateway listens; change one of them (listen, or ports in that file)"
        )
        draft.refuse(values.where("compose"), text)


def _place(name: str, places: dict[tuple[str, str], str], values: Values, draft: Draft) -> None:
    path = values.by_name["path"]
    for host in values.by_name["hosts"] or ("",):
        other = places.setdefault((host, path), name)
        if other != name:
            text = (
                f'{host or "any host"} and path {path} belong to "{other}" already; write other hosts or another path'
            )
            draft.refuse(values.where("hosts" if host else "path"), text)
