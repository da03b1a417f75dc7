"""The first `wakegate.toml`: what runs what is in a folder, and, commented, what people change most."""

import json
from collections.abc import Iterator
from pathlib import Path

from wakegate.config.container_recipe import from_compose, from_dockerfile
from wakegate.config.python_app import from_django, from_module
from wakegate.config.recipe import (
    LISTEN_PORT,
    Recipe,
    Recogniser,
    from_config_ru,
    from_go_mod,
    from_index_html,
    from_package_json,
    from_procfile,
)
from wakegate.config.settings import SETTINGS
from wakegate.config.show import one_line

# The surest sign first: a Procfile is meant to be run; a container has all that the app needs, where there is Docker.
BY_CONTAINER: tuple[Recogniser, ...] = (from_compose, from_dockerfile)
BY_COMMAND: tuple[Recogniser, ...] = (
    from_django,
    from_module,
    from_package_json,
    from_go_mod,
    from_config_ru,
)
UNKNOWN = Recipe(
    found="nothing that is known",
    command=("your-app", "--port", "{port}"),
    notes=("Put the command that starts your app.",),
)
SHOWN = (
    "service.*.wake.timeout",
    "service.*.wake.probe",
    "service.*.sleep.idle_timeout",
    "service.*.scale.max",
    "service.*.scale.metric",
    "service.*.scale.target",
    "service.*.session.ttl",
    "service.*.ignore.agents",
)


def starter(folder: Path, *, has_docker: bool) -> str:
    """Return the text of a `wakegate.toml` for what a folder holds; `read` takes it without a problem."""
    likely = (*BY_CONTAINER, *BY_COMMAND) if has_docker else (*BY_COMMAND, *BY_CONTAINER)
    found = [recipe for recognise in (from_procfile, *likely, from_index_html) if (recipe := recognise(folder))]
    recipe = found[0] if found else UNKNOWN
    instead = next((one.command for one in found if one.command), ()) if not recipe.command else ()
    return "\n".join([*_head(recipe), *_service(recipe, instead=instead), *_shown(recipe)]) + "\n"


def _head(recipe: Recipe) -> Iterator[str]:
    yield "# The app sleeps while nobody uses it, and wakes at the next request. Start it: wakegate up"
    yield "# What stands behind # is the default. All settings: docs/settings.md"
    yield ""
    yield "[gateway]"
    if recipe.listen_port == LISTEN_PORT:
        yield f'# listen = "127.0.0.1:{LISTEN_PORT}"'
    else:
        yield f"# Port {LISTEN_PORT} is taken by what the Compose file publishes."
        yield f'listen = "127.0.0.1:{recipe.listen_port}"'
    if recipe.state_dir:
        yield "# Not in this folder, which is served: the state holds the key that signs sessions."
        yield f"state_dir = {json.dumps(recipe.state_dir)}"


def _service(recipe: Recipe, *, instead: tuple[str, ...]) -> Iterator[str]:
    yield ""
    yield "[service.web]"
    yield f"# Found here: {recipe.found}."
    yield from (f"# {one_line(note)}" for note in recipe.notes)
    if instead:
        yield f"# Without Docker, instead of what follows: command = {_list(instead)}"
    yield from _what(recipe)
    if recipe.port:
        yield f"port = {recipe.port}"
    if not recipe.compose:
        yield '# env = { NAME = "value" }'
    yield '# hosts = ["web.localhost"]'


def _what(recipe: Recipe) -> Iterator[str]:
    if recipe.build:
        yield f"build = {_text(recipe.build)}"
    elif recipe.compose:
        yield f"compose = {_text(recipe.compose)}"
        if recipe.compose_service != "web":
            yield f"compose_service = {_text(recipe.compose_service)}"
    else:
        yield f"command = {_list(recipe.command)}"


def _shown(recipe: Recipe) -> Iterator[str]:
    """Give the settings that people change most, each behind a #, so that the defaults of later releases hold."""
    table = ""
    for setting in SETTINGS:
        if setting.key not in SHOWN or (recipe.compose and setting.group == "scale"):
            continue  # a container that exists runs once
        if setting.group != table:
            table = setting.group
            yield f"\n[service.web.{table}]"
        yield f"# {setting.help_text}"
        yield f"# {setting.name.rpartition('.')[2]} = {json.dumps(setting.default, ensure_ascii=False)}"


def _list(command: tuple[str, ...]) -> str:
    return f"[{', '.join(_text(word) for word in command)}]"


def _text(word: str) -> str:
    """Write a TOML string: JSON's, but for one character that only TOML wants escaped."""
    return json.dumps(word, ensure_ascii=False).replace("\x7f", "\\u007F")
