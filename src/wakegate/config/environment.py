"""What environment variables and options of the command line give, on top of a file."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from wakegate.config.draft import Draft, Given, Where
from wakegate.config.setting import Setting
from wakegate.config.settings import SETTINGS
from wakegate.config.show import did_you_mean

PREFIX = "WAKEGATE_"
OWN = {"WAKEGATE_REPLICA"}  # set by a gateway for its replicas, one of which may run a gateway of its own


def add_variables(draft: Draft, environ: Mapping[str, str]) -> None:
    """Give what WAKEGATE_LISTEN, WAKEGATE_SERVICE_WEB_SLEEP_IDLE_TIMEOUT and so on say; refuse those of no setting."""
    ours = {name: text for name, text in environ.items() if name.startswith(PREFIX) and name not in OWN}
    known = {_variable(setting.of(service)): (setting, service) for setting, service in _all(draft)} if ours else {}
    for name, text in ours.items():
        where = Where(label=name)
        if name not in known:
            hint = did_you_mean(name, known, otherwise="; unset it, or see docs/settings.md for all there are")
            draft.refuse(where, f"no setting has this variable{hint}")
            continue
        setting, service = known[name]
        given = Given(value=setting.kind.from_text(text), where=where, folder=Path.cwd())
        draft.give(setting.name, given, service=service)


def add_options(draft: Draft, options: Mapping[str, str]) -> None:
    """Give what options say; one of a service ("service.*.sleep.idle_timeout") is given to every service."""
    by_key = {setting.key: setting for setting in SETTINGS}
    for key, text in options.items():
        setting = by_key[key]
        given = Given(value=setting.kind.from_text(text), where=Where(label=setting.option or key), folder=Path.cwd())
        for service in ("",) if setting.is_of_gateway else draft.services:
            draft.give(setting.name, given, service=service)


def _all(draft: Draft) -> Iterator[tuple[Setting, str]]:
    for setting in SETTINGS:
        if setting.is_of_gateway:
            yield setting, ""
        else:
            yield from ((setting, name) for name in draft.services)


def _variable(key: str) -> str:
    return PREFIX + key.removeprefix("gateway.").upper().replace(".", "_").replace("-", "_")
