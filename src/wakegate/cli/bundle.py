"""`wakegate bundle`: the zip of both functions, for those who deploy by hand."""

from pathlib import Path

import click

from wakegate.aws.deploy.bundle import bundle as make
from wakegate.core.errors import WakegateError
from wakegate.core.say import say_bytes


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
def bundle(*, file: Path | None) -> None:
    """Write the zip of both functions to FILE (default: named after its content, here), and print its name.

    \b
    wakegate bundle
    aws s3 cp "$(wakegate bundle)" s3://BUCKET/
    """
    code = make()
    file = file or Path(code.key)
    try:
        file.write_bytes(code.data)
    except OSError as error:
        raise WakegateError(f"{file} cannot be written: {error.strerror}") from error
    click.echo(file)
    click.echo(f"{say_bytes(len(code.data))}; keep this name as the CodeKey: it changes when the code does", err=True)
