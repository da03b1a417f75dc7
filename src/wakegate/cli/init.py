"""`wakegate init`: write a first wakegate.toml for what is here."""

import shutil
from pathlib import Path

import click

from wakegate.config.starter import starter
from wakegate.core.errors import WakegateError


@click.command()
@click.option("--force", is_flag=True, help="Write over a file that is there.")
def init(*, force: bool) -> None:
    """Write a commented wakegate.toml for what is found here: a Procfile, compose.yaml, Dockerfile, manage.py, …

    \b
    wakegate init && wakegate up
    """
    file = Path("wakegate.toml")
    if file.exists() and not force:
        raise WakegateError(f"{file} is there already; write over it with: wakegate init --force")
    try:
        file.write_text(starter(Path.cwd(), has_docker=_has_docker()), encoding="utf-8")
    except OSError as error:
        raise WakegateError(f"{file} cannot be written: {error.strerror}") from error
    click.echo(f"{file} written; look it over, then: wakegate up")


def _has_docker() -> bool:
    """Say whether containers are at home here; nobody is asked to answer."""
    return any(shutil.which(program) for program in ("docker", "podman"))
