"""Makes a `Spec` of a draft: each value by its kind, the default where none was given, then what must fit together."""

from collections import ChainMap
from dataclasses import is_dataclass
from functools import lru_cache
from typing import Any, get_type_hints

from wakegate.config.check import check_all, check_service
from wakegate.config.draft import Draft, Given, Values, Where
from wakegate.config.run import run_of
from wakegate.config.setting import Setting
from wakegate.config.settings import SETTINGS
from wakegate.config.show import UnfitError
from wakegate.config.wakes import unrouted
from wakegate.core.errors import ConfigError
from wakegate.core.spec import GatewaySpec, ServiceSpec, Spec

PARTS: dict[str, Any] = {name: part for name, part in get_type_hints(ServiceSpec).items() if is_dataclass(part)}
OF_GATEWAY = tuple(setting for setting in SETTINGS if setting.is_of_gateway)
OF_SERVICE = tuple(setting for setting in SETTINGS if not setting.is_of_gateway)


def build(draft: Draft) -> Spec:
    """Return the spec; raise `ConfigError` where the draft has, or turns out to have, problems."""
    gateway = _values(draft, OF_GATEWAY, _defaults(draft, OF_GATEWAY), at=Where(label="gateway"))
    shared = _defaults(draft, OF_SERVICE)  # by 10,000 services, which then need no values of their own
    services = {name: _values(draft, OF_SERVICE, shared, name=name, at=at) for name, at in draft.services.items()}
    for values in services.values():
        check_service(values, draft)
    check_all(gateway, services, draft)
    if draft.problems:
        raise ConfigError(draft.problems)
    placeless = unrouted(services)
    return Spec(
        gateway=GatewaySpec(**_fields(gateway, OF_GATEWAY)[""]),
        services=tuple(_service(values, is_routed=name not in placeless) for name, values in services.items()),
    )


def _defaults(draft: Draft, settings: tuple[Setting, ...]) -> dict[str, Any]:
    """Return what each of these is where nobody has written it."""
    return {
        setting.name: None
        if setting.default is None
        else setting.kind.placed(setting.kind.read(setting.default), folder=draft.folder)
        for setting in settings
    }


def _values(
    draft: Draft, settings: tuple[Setting, ...], defaults: dict[str, Any], *, name: str = "", at: Where
) -> Values:
    values = Values(at=at, name=name, by_name=ChainMap({}, defaults))
    for setting in settings:
        if several := draft.given.get(setting.of(name)):
            _read(draft, setting, several, values)
    return values


def _read(draft: Draft, setting: Setting, several: list[Given], values: Values) -> None:
    """Read every value that was given for a setting; the last one counts."""
    name = setting.name
    for given in several:
        try:
            setting.kind.read(given.value)
        except UnfitError as error:
            draft.refuse(given.where, str(error))
            values.unsound.add(name)
        values.given[name] = given.where
    if name not in values.unsound:
        values.by_name[name] = setting.kind.placed(setting.kind.read(given.value), folder=given.folder)


def _service(values: Values, *, is_routed: bool) -> ServiceSpec:
    fields = _fields(values, OF_SERVICE)
    parts = {part: _part(part, tuple(fields.get(part, {}).items())) for part in PARTS}
    run = run_of(values, fields["run"])
    return ServiceSpec(name=values.name, run=run, is_routed=is_routed, **fields.get("", {}), **parts)


@lru_cache(maxsize=1024)
def _part(part: str, fields: tuple[tuple[str, Any], ...]) -> Any:
    """Return a part of a spec; services that say the same share it."""
    return PARTS[part](**dict(fields))


def _fields(values: Values, settings: tuple[Setting, ...]) -> dict[str, dict[str, Any]]:
    """Return the fields of each part of a spec that have a value; "" is the gateway or service itself."""
    fields: dict[str, dict[str, Any]] = {}
    for setting in settings:
        value = values.by_name[setting.name]
        for path, one in zip(setting.fills, value if len(setting.fills) > 1 else (value,), strict=True):
            part, _, field = path.rpartition(".")
            if one is not None:
                fields.setdefault(part, {})[field] = one
    return fields
