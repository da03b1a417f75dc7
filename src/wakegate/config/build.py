"""Makes a `Spec` of a draft: each value by its kind, the default where none was given, then what must fit together."""

from collections import ChainMap
from collections.abc import Iterable, Mapping
from dataclasses import is_dataclass
from functools import lru_cache
from typing import Any, get_type_hints

from wakegate.config.check import check_all, check_service
from wakegate.config.draft import Draft, Given, Values, Where
from wakegate.config.run import run_of
from wakegate.config.setting import Setting
from wakegate.config.settings import OF_GATEWAY, OF_SERVICE
from wakegate.config.show import UnfitError
from wakegate.config.wakes import unrouted
from wakegate.core.errors import ConfigError
from wakegate.core.spec import GatewaySpec, ServiceSpec, Spec

PARTS: dict[str, Any] = {name: part for name, part in get_type_hints(ServiceSpec).items() if is_dataclass(part)}
OF_PART = {
    part: tuple(setting for setting in OF_SERVICE.values() if setting.part == part) for part in ("", "run", *PARTS)
}


def build(draft: Draft) -> Spec:
    """Return the spec; raise `ConfigError` where the draft has, or turns out to have, problems."""
    gateway = _gateway(draft)
    shared = _defaults(draft, OF_SERVICE)  # by 10,000 services, which then need no values of their own
    services = {name: _values(draft, OF_SERVICE, shared, name=name, at=at) for name, at in draft.services.items()}
    for values in services.values():
        check_service(values, draft)
    check_all(gateway, services, draft)
    if draft.problems:
        raise ConfigError(draft.problems)
    placeless = unrouted(services)
    usual = {part: _part(part, tuple(_fields(shared, OF_PART[part]).items())) for part in PARTS}
    return Spec(
        gateway=_gateway_spec(gateway),
        services=tuple(_service(values, usual, is_routed=name not in placeless) for name, values in services.items()),
    )


def build_gateway(draft: Draft) -> GatewaySpec:
    """Return the spec of the gateway alone; what must fit together is not checked."""
    values = _gateway(draft)
    if draft.problems:
        raise ConfigError(draft.problems)
    return _gateway_spec(values)


def _gateway(draft: Draft) -> Values:
    return _values(draft, OF_GATEWAY, _defaults(draft, OF_GATEWAY), at=Where(label="gateway"))


def _gateway_spec(values: Values) -> GatewaySpec:
    return GatewaySpec(**_fields(values.by_name, OF_GATEWAY.values()))


def _defaults(draft: Draft, settings: Mapping[str, Setting]) -> dict[str, Any]:
    """Return what each of these is where nobody has written it."""
    return {
        name: None
        if setting.default is None
        else setting.kind.placed(setting.kind.read(setting.default), folder=draft.folder)
        for name, setting in settings.items()
    }


def _values(
    draft: Draft, settings: Mapping[str, Setting], defaults: dict[str, Any], *, name: str = "", at: Where
) -> Values:
    values = Values(at=at, name=name, by_name=ChainMap({}, defaults))
    given = draft.given.get(name, {})
    for setting in settings.values() if given else ():
        if several := given.get(setting.name):
            _read(draft, setting, several, values)
    return values


def _read(draft: Draft, setting: Setting, several: list[Given], values: Values) -> None:
    """Read every value that was given for a setting; the last one counts."""
    name = setting.name
    for given in several:
        values.given[name] = given.where
        try:
            value = setting.kind.read(given.value)
        except UnfitError as error:
            draft.refuse(given.where, str(error))
            values.unsound.add(name)
    if name not in values.unsound:
        values.by_name[name] = setting.kind.placed(value, folder=given.folder)


def _service(values: Values, usual: Mapping[str, Any], *, is_routed: bool) -> ServiceSpec:
    """Return its spec; a part that it says nothing about is the usual one, which most of 10,000 services share."""
    own, defaults = values.by_name.maps
    by_name = {**defaults, **own}  # a look-up in it takes a tenth of one in the chain
    said = {OF_SERVICE[name].part for name in own}
    parts = {
        part: _part(part, tuple(_fields(by_name, OF_PART[part]).items())) if part in said else one
        for part, one in usual.items()
    }
    run = run_of(values, _fields(by_name, OF_PART["run"]))
    return ServiceSpec(name=values.name, run=run, is_routed=is_routed, **_fields(by_name, OF_PART[""]), **parts)


@lru_cache(maxsize=1024)
def _part(part: str, fields: tuple[tuple[str, Any], ...]) -> Any:
    """Return a part of a spec; services that say the same share it."""
    return PARTS[part](**dict(fields))


def _fields(by_name: Mapping[str, Any], settings: Iterable[Setting]) -> dict[str, Any]:
    """Return those fields of one part of a spec that have a value."""
    fields: dict[str, Any] = {}
    for setting in settings:
        value = by_name[setting.name]
        for path, one in zip(setting.fills, value if len(setting.fills) > 1 else (value,), strict=True):
            if one is not None:
                fields[path.rpartition(".")[2]] = one
    return fields
