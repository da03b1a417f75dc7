"""`wakegate check`: is the configuration right?"""

from pathlib import Path

import click

from wakegate.config.read import DEFAULT_FILE, read
from wakegate.core.errors import ConfigError
from wakegate.core.say import say_count


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
def check(*, file: Path | None) -> None:
    """Check FILE (default: wakegate.toml) and print every problem of it.

    \b
    wakegate check && wakegate up
    """
    try:
        spec = read(file)
    except ConfigError as error:
        raise ConfigError((*error.problems, say_count(len(error.problems), "problem"))) from error
    click.echo(f"{file or DEFAULT_FILE}: {say_count(len(spec.services), 'service')}, no problems")
