"""function: what an execution environment makes once, when its function is loaded, and every invocation uses."""

import os
from functools import cache

from wakegate.aws.cloud import Cloud
from wakegate.aws.instance import Instance
from wakegate.aws.settings import Settings, read


@cache
def settings() -> Settings:
    """Return the settings; a `ConfigError` ends the load, and is in the log with every problem at once."""
    return read(os.environ)


@cache
def cloud() -> Cloud:
    """Return the way to AWS."""
    from wakegate.aws.clients import connect  # noqa: PLC0415  the simulation runs without it

    return connect(os.environ, settings=settings())


@cache
def instance() -> Instance:
    """Return the caches of this environment."""
    return Instance()


def is_loading() -> bool:
    """Say whether Lambda loads this: what is made now costs no request its time."""
    return "AWS_LAMBDA_RUNTIME_API" in os.environ
