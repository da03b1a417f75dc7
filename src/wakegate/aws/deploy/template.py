"""The CloudFormation template as text; it is plain, and usable without us."""

from importlib.resources import files

BYTES_MAX = 51_200  # of a template that is sent along with a call


def template() -> str:
    """Return the text of template.yaml."""
    text = files("wakegate.aws.deploy").joinpath("template.yaml").read_text(encoding="utf-8")
    assert len(text.encode()) <= BYTES_MAX
    return text
