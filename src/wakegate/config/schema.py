"""The JSON schema of `wakegate.toml`: editors complete keys by it, show the help, and mark mistakes."""

from collections.abc import Iterable

from wakegate.config.file import SERVICE_NAME
from wakegate.config.kind import Schema
from wakegate.config.run import SOURCES
from wakegate.config.setting import Setting
from wakegate.config.settings import SETTINGS


def schema() -> Schema:
    """Return the schema, made from the table of settings."""
    services = {
        "type": "object",
        "description": "The services, one table each: [service.web]",
        "propertyNames": {"pattern": f"^{SERVICE_NAME.pattern}$"},
        "minProperties": 1,
        "additionalProperties": {"$ref": "#/$defs/service"},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "wakegate.toml",
        **_table("", {"gateway": _gateway(), "service": services}, required=["service"]),
        "$defs": {"service": _service()},
    }


def _gateway() -> Schema:
    return _table("The gateway itself", _properties(setting for setting in SETTINGS if setting.is_of_gateway))


def _service() -> Schema:
    groups: dict[str, list[Setting]] = {}
    for setting in SETTINGS:
        if not setting.is_of_gateway:
            groups.setdefault(setting.group, []).append(setting)
    own = groups.pop("")
    tables = {name: _table("", _properties(settings)) for name, settings in groups.items()}
    one_of = [{"required": [name]} for name in ("command", *SOURCES)]
    return _table("One service", _properties(own) | tables) | {"anyOf": one_of}


def _properties(settings: Iterable[Setting]) -> Schema:
    return {setting.name.rpartition(".")[2]: _property(setting) for setting in settings}


def _property(setting: Setting) -> Schema:
    described = {"description": setting.help_text} | setting.kind.schema()
    return described if setting.default is None else described | {"default": setting.default}


def _table(description: str, properties: Schema, *, required: Iterable[str] = ()) -> Schema:
    table: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    if required:
        table["required"] = list(required)
    return {"description": description} | table if description else table
