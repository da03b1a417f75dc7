"""A row of the table, and what it knows of specs."""

from wakegate.config.setting import Setting
from wakegate.config.settings import SETTINGS
from wakegate.core.spec import GatewaySpec, ProcessSpec, ServiceSpec

BY_KEY: dict[str, Setting] = {setting.key: setting for setting in SETTINGS}


def test_a_setting_knows_its_place() -> None:
    """Keys, groups and names are all made of one text."""
    idle, listen, command = (
        BY_KEY[key] for key in ("service.*.sleep.idle_timeout", "gateway.listen", "service.*.command")
    )
    assert (idle.name, idle.group, idle.of("web")) == ("sleep.idle_timeout", "sleep", "service.web.sleep.idle_timeout")
    assert (listen.name, listen.group, listen.of("")) == ("listen", "", "gateway.listen")
    assert (command.name, command.group, command.is_of_gateway) == ("command", "", False)


def test_a_setting_finds_its_value_in_a_spec() -> None:
    """Also where it fills two fields."""
    service = ServiceSpec(name="web", run=ProcessSpec(command=("true",)))
    assert BY_KEY["service.*.sleep.idle_timeout"].held(service) == 300.0
    assert BY_KEY["gateway.listen"].held(GatewaySpec()) == ("127.0.0.1", 8080, "")
