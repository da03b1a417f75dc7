"""`wakegate template`: the CloudFormation template, for those who deploy by hand."""

from pathlib import Path

import click

from wakegate.aws.deploy.template import template as text
from wakegate.core.errors import WakegateError


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
def template(*, file: Path | None) -> None:
    """Write the CloudFormation template to FILE (default: to the terminal).

    \b
    wakegate template template.yaml
    """
    if file is None:
        click.echo(text(), nl=False)
        return
    try:
        file.write_text(text(), encoding="utf-8")
    except OSError as error:
        raise WakegateError(f"{file} cannot be written: {error.strerror}") from error
    click.echo(f"{file} written; the functions' code: wakegate bundle", err=True)
