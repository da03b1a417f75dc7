"""Values become the fields of a spec, each setting its own."""

from pathlib import Path

import pytest
from tests.config.conftest import Reads

from wakegate.config.run import SOURCES
from wakegate.config.setting import Setting
from wakegate.config.settings import SETTINGS
from wakegate.core.schedule import Window
from wakegate.core.spec import ProcessSpec

OTHER = {
    # a value that is not the default, for every setting
    "gateway.listen": ("[::1]:80", ("::1", 80, "")),
    "gateway.state_dir": ("/srv/state", "/srv/state"),
    "gateway.connections_max": (5, 5),
    "gateway.trusted_proxies": (["10.0.0.1"], ("10.0.0.1/32",)),
    "service.*.command": (["a", "b"], ("a", "b")),
    "service.*.compose_service": ("api", "api"),
    "service.*.awake": ("08:00-18:00", (Window(days=tuple(range(7)), begin_min=480, end_min=1080),)),
    "service.*.wakes": (["db"], ("db",)),
    "service.*.compose_project": ("other", "other"),
    "service.*.docker.volumes": (["data:/data"], ("data:/data",)),
    "service.*.docker.labels": ({"a": "1"}, (("a", "1"),)),
    "service.*.docker.cpus": (0.5, 0.5),
    "service.*.docker.user": ("app", "app"),
    "service.*.docker.network": ("front", "front"),
    "service.*.env": ({"A": "1"}, (("A", "1"),)),
    "service.*.directory": ("/", "/"),
    "service.*.port": (8000, 8000),
    "service.*.hosts": (["A.localhost"], ("a.localhost",)),
    "service.*.path": ("/a", "/a"),
    "service.*.wake.probe": ("/up", "/up"),
    "service.*.wake.on_paths": (["/a"], ("/a",)),
    "service.*.wake.on_methods": (["GET"], ("GET",)),
    "service.*.hold.timeout": ("20s", 20.0),
    "service.*.hold.on_cold": ("page", "page"),
    "service.*.sleep.mode": ("pause", "pause"),
    "service.*.scale.max": (7, 7),
    "service.*.scale.metric": ("memory", "memory"),
    "service.*.session.cookie": ("id", "id"),
    "service.*.ignore.paths": (["/a*"], ("/a*",)),
    "service.*.ignore.agents": (["bots"], ("bots",)),
    "service.*.ignore.methods": (["HEAD"], ("HEAD",)),
    "service.*.ignore.status": (204, 204),
}
BY_DEFAULT: dict[type, tuple[object, object]] = {str: ("20s", 20.0), int: (2, 2), bool: (True, True)}
DB = '[service.db]\ncommand = ["true"]\npath = "/db"\n'
PAIRED = ("tls_certificate", "tls_key", "proxy_protocol")  # refused without another
COMMAND, COMPOSE = 'command = ["true"]', 'compose = "compose.yaml"'
BESIDE = {  # what a setting needs beside it; else a command
    "command": "",
    "docker": 'image = "web"',
    "compose_service": COMPOSE,
    "compose_project": COMPOSE,
    "sleep.then_stop_after": f'{COMMAND}\nsleep.mode = "pause"',
}


def test_a_certificate_and_its_key_fill_their_own_fields(reads: Reads, folder: Path) -> None:
    """A relative path starts at the folder of the file, whoever starts the gateway from where."""
    text = f'[gateway]\ntls_certificate = "a.crt"\ntls_key = "/b.key"\n[service.web]\n{COMMAND}\n'
    gateway = reads(text).gateway
    assert (gateway.tls_certificate, gateway.tls_key) == (str(folder / "a.crt"), "/b.key")
    assert reads(f"[service.web]\n{COMMAND}\n").gateway.tls_key == ""


def other(setting: Setting) -> tuple[object, object]:
    """Return a value as it is written, and as the spec is to hold it."""
    if setting.key in OTHER:
        return OTHER[setting.key]
    if setting.kind.says == "size":
        return "9000000B", 9_000_000
    return BY_DEFAULT[type(setting.default)]


@pytest.mark.parametrize(
    "setting", [one for one in SETTINGS if one.name not in {*SOURCES, *PAIRED}], ids=lambda setting: str(setting.key)
)
def test_a_setting_fills_its_field_and_no_other(reads: Reads, folder: Path, setting: Setting) -> None:
    """A setting that fills its neighbour's field is found by nobody until it hurts."""
    written, held = other(setting)
    limits = {"gateway.head_bytes_max": ("500000B", 500_000), "service.*.session.data_bytes_max": ("5000B", 5000)}
    written, held = limits.get(setting.key, (written, held))
    (folder / "compose.yaml").write_text("services: {web: {}, api: {}}")
    beside = BESIDE.get(setting.name, BESIDE.get(setting.group, COMMAND))
    text = f"[service.web]\n{beside}\n{toml(setting, written)}\n{DB}"
    plain, changed = reads(f"[service.web]\n{beside or COMMAND}\n{DB}"), reads(text)
    differ = [
        one.key
        for one in SETTINGS
        if one.held(plain.gateway if one.is_of_gateway else plain.services[0])
        != one.held(changed.gateway if one.is_of_gateway else changed.services[0])
    ]
    expected = [setting.key, "service.*.scale.max"] if setting.key == "service.*.port" else [setting.key]
    assert sorted(differ) == sorted(expected)
    assert setting.held(changed.gateway if setting.is_of_gateway else changed.services[0]) == held


def toml(setting: Setting, value: object) -> str:
    """Write a setting as a dotted key below [service.web], or as a table of its own."""
    if isinstance(value, dict):
        shown = "{ " + ", ".join(f'{name} = "{text}"' for name, text in value.items()) + " }"
    else:
        shown = str(value).lower() if isinstance(value, (bool, int)) else repr(value)
    return f"[gateway]\n{setting.name} = {shown}" if setting.is_of_gateway else f"{setting.name} = {shown}"


def test_folders_in_a_spec_are_absolute(reads: Reads, folder: Path) -> None:
    """A gateway that changes its folder must still find its state."""
    (folder / "app").mkdir()
    spec = reads('[gateway]\nstate_dir = "state"\n[service.web]\ncommand = ["true"]\ndirectory = "./app"')
    assert spec.gateway.state_dir == str(folder / "state")
    assert spec.services[0].run == ProcessSpec(command=("true",), directory=str(folder / "app"))
