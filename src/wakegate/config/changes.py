"""What differs between two configurations, in sentences: told when a running gateway reads its file again."""

from collections.abc import Iterator

from wakegate.config.setting import Setting
from wakegate.config.settings import SETTINGS
from wakegate.core.spec import ContainerSpec, GatewaySpec, ServiceSpec, Spec


def changes(old: Spec, new: Spec, *, began: GatewaySpec) -> tuple[str, ...]:
    """Return a sentence for each difference; one that a reload cannot make says that it needs a restart.

    `began`: what the gateway was started with, which is what it has still of that which only a restart changes.
    """
    return (*_gateway(old.gateway, new.gateway, began), *_services(old, new))


def _gateway(old: GatewaySpec, new: GatewaySpec, began: GatewaySpec) -> Iterator[str]:
    for setting in SETTINGS:
        if setting.is_of_gateway and setting.held(old) != setting.held(new):
            yield f"gateway: {_difference(setting, old, new)}{_how(setting, new, began)}"


def _how(setting: Setting, new: GatewaySpec, began: GatewaySpec) -> str:
    """Say what becomes of a change."""
    if not setting.needs_restart:
        return ""
    return " (as it runs)" if setting.held(new) == setting.held(began) else " (needs a restart)"


def _services(old: Spec, new: Spec) -> Iterator[str]:
    before = {service.name: service for service in old.services}
    after = {service.name: service for service in new.services}
    yield from (f"{name}: removed" for name in before if name not in after)
    yield from (f"{name}: added" for name in after if name not in before)
    for name in (name for name in after if name in before):
        yield from (f"{name}: {text}" for text in _service(before[name], after[name]))


def _service(old: ServiceSpec, new: ServiceSpec) -> Iterator[str]:
    for setting in SETTINGS:
        if not setting.is_of_gateway and _differs(setting, old, new):
            yield _difference(setting, old, new)
    if isinstance(old.run, ContainerSpec) and isinstance(new.run, ContainerSpec) and new.run.compose == old.run.compose:
        was, is_now = (" → ".join(step.service for step in run.compose_steps) for run in (old.run, new.run))
        if old.run.compose_steps != new.run.compose_steps:
            yield f"{new.run.compose} changed" + (f": it starts {is_now}" if was != is_now else "")


def _differs(setting: Setting, old: ServiceSpec, new: ServiceSpec) -> bool:
    """Say whether there is something to tell: that a command has no image is as if the image were empty."""
    was, is_now = setting.held(old), setting.held(new)
    return was != is_now and bool(was or is_now)


def _difference(setting: Setting, old: GatewaySpec | ServiceSpec, new: GatewaySpec | ServiceSpec) -> str:
    was, is_now = _said(setting, old), _said(setting, new)
    if was == is_now:  # values of environment variables are not shown
        return f"{setting.name} changed"
    return f"{setting.name} {was} → {is_now}"


def _said(setting: Setting, spec: GatewaySpec | ServiceSpec) -> str:
    value = setting.held(spec)
    is_absent = not value if setting.default is None else value is None and setting.fills[0].startswith("run.")
    return "none" if is_absent else setting.kind.write(value)
