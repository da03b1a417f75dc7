"""The table against the specs: every field is filled by one setting, and the defaults are the same."""

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from types import UnionType
from typing import get_args, get_type_hints

import pytest

from wakegate.config.setting import Setting
from wakegate.config.settings import SETTINGS
from wakegate.core.spec import ContainerSpec, GatewaySpec, ProcessSpec, ServiceSpec, Spec

NOT_SETTINGS = {"name", "is_routed", "run.compose_steps"}  # the table says the name, other tables and files the rest
SERVICE = ServiceSpec(name="web", run=ProcessSpec(command=("true",)))
CONTAINER = ServiceSpec(name="web", run=ContainerSpec(image="web"))


def paths(spec: type, prefix: str = "") -> Iterator[str]:
    """Return the path of every field of a spec and of the specs inside it."""
    for name, hint in get_type_hints(spec).items():
        parts = get_args(hint) if isinstance(hint, UnionType) else (hint,)
        specs = [part for part in parts if isinstance(part, type) and is_dataclass(part)]
        yield from (path for one in specs for path in paths(one, f"{prefix}{name}."))
        if not specs:
            yield f"{prefix}{name}"


@pytest.mark.parametrize("spec", [GatewaySpec, ServiceSpec])
def test_every_field_is_filled_by_exactly_one_setting_and_nothing_else_is(spec: type) -> None:
    """A field without a setting cannot be changed; a setting without a field does nothing."""
    of_gateway = [setting for setting in SETTINGS if setting.is_of_gateway == (spec is GatewaySpec)]
    filled = [field for setting in of_gateway for field in setting.fills]
    assert sorted(filled) == sorted(set(paths(spec)) - (NOT_SETTINGS if spec is ServiceSpec else set()))


def test_a_spec_has_nothing_but_the_gateway_and_its_services() -> None:
    """Else there would be fields that the test above does not see."""
    assert {field.name for field in fields(Spec)} == {"gateway", "services"}


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: str(setting.key))
def test_a_default_is_the_one_of_the_spec(setting: Setting) -> None:
    """The core's tests run on the dataclasses' defaults, users on the table's."""
    if setting.default is None:
        may_be_left_out = ("run.", "tls_")  # what runs, or how it does, and TLS
        assert all(field.startswith(may_be_left_out) for field in setting.fills)
        return
    spec = GatewaySpec() if setting.is_of_gateway else CONTAINER if setting.group == "docker" else SERVICE
    assert setting.kind.read(setting.default) == setting.held(spec)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: str(setting.key))
def test_a_setting_is_explained_in_a_sentence(setting: Setting) -> None:
    """It is all that most people will read about it."""
    assert re.fullmatch(r"[A-Z].{20,}\.", setting.help_text)
    assert setting.kind.says


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: str(setting.key))
def test_what_zero_means_is_said_where_zero_is_possible(setting: Setting) -> None:
    """ "0s" is off, no limit, or at once: nobody can guess which."""
    if setting.default in ("0s", 0) and setting.default is not False:
        assert re.search(r"\b0s?\b", setting.help_text)


def test_keys_and_options_are_unique() -> None:
    """The last of two would win, silently."""
    options = [setting.option for setting in SETTINGS if setting.option]
    assert len({setting.key for setting in SETTINGS}) == len(SETTINGS)
    assert sorted(options) == ["--idle-timeout", "--listen", "--port", "--state-dir", "--wake-timeout"]
