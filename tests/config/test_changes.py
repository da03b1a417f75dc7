"""What a reload changes, in sentences."""

from pathlib import Path

from tests.config.conftest import Reads

from wakegate.config.changes import changes
from wakegate.core.spec import Spec

WEB = '[service.web]\ncommand = ["true"]\n'


def reloaded(old: Spec, new: Spec) -> tuple[str, ...]:
    """Return what is told by the first reload of a gateway."""
    return changes(old, new, began=old.gateway)


def test_nothing_changed_says_nothing(reads: Reads) -> None:
    """A reload of the same file is no news."""
    assert reloaded(reads(WEB), reads(WEB)) == ()


def test_every_change_of_a_service_is_a_sentence(reads: Reads) -> None:
    """As one would write it in the file."""
    new = WEB + 'hosts = ["a.localhost"]\nsleep.idle_timeout = "10m"\nlog.bytes_max = "1MiB"\nhold.timeout = "20s"\n'
    assert reloaded(reads(WEB), reads(new)) == (
        'web: hosts [] → ["a.localhost"]',
        "web: hold.timeout auto → 20s",
        "web: sleep.idle_timeout 5m → 10m",
        "web: log.bytes_max 10MiB → 1MiB",
    )


def test_services_come_and_go(reads: Reads) -> None:
    """By name: a service that is renamed is another one."""
    assert reloaded(reads(WEB), reads(WEB.replace("web", "api"))) == ("web: removed", "api: added")


def test_what_a_reload_cannot_change_says_that_it_needs_a_restart(reads: Reads) -> None:
    """Else one waits for an address that never answers."""
    new = WEB + '[gateway]\nlisten = ":80"\nstate_dir = "/srv"\nconnections_max = 9\ndrain_timeout = "1m"\n'
    old = reads(WEB)
    assert reloaded(old, reads(new)) == (
        "gateway: listen 127.0.0.1:8080 → 0.0.0.0:80 (needs a restart)",
        f'gateway: state_dir "{old.gateway.state_dir}" → "/srv" (needs a restart)',
        "gateway: connections_max 20000 → 9",
        "gateway: drain_timeout 30s → 1m",
    )


def test_what_is_set_back_to_what_runs_needs_no_restart(reads: Reads) -> None:
    """Somebody has thought better of it."""
    two, three = (reads(f"{WEB}[gateway]\nworkers = {count}\n") for count in (2, 3))
    assert reloaded(two, three) == ("gateway: workers 2 → 3 (needs a restart)",)
    assert changes(three, two, began=two.gateway) == ("gateway: workers 3 → 2 (as it runs)",)


def test_the_value_of_a_variable_stays_where_it_is(reads: Reads) -> None:
    """The timeline is seen by more people than the file."""
    old, new = reads(WEB + 'env = { KEY = "old-secret" }'), reads(WEB + 'env = { KEY = "new-secret" }')
    assert reloaded(old, new) == ("web: env changed",)
    assert reloaded(reads(WEB), new) == ("web: env [] → [KEY]",)


def test_what_runs_may_become_something_else(reads: Reads) -> None:
    """What the one has and the other has not is told only where it was written."""
    image = '[service.web]\nimage = "nginx:1.26"\n'
    assert reloaded(reads(image), reads(image.replace("26", "27"))) == ('web: image "nginx:1.26" → "nginx:1.27"',)
    more = image + 'docker = { memory = "64MiB", volumes = ["data:/data"], user = "app" }\n'
    assert reloaded(reads(image), reads(more)) == (
        'web: docker.volumes [] → ["data:/data"]',
        "web: docker.memory none → 64MiB",
        'web: docker.user none → "app"',
    )
    assert [text.partition(" ")[2] for text in reloaded(reads(WEB), reads(image)) if "directory" not in text] == [
        "command true → none",
        'image none → "nginx:1.26"',
    ]


def test_a_compose_file_that_changed_is_told(reads: Reads, folder: Path) -> None:
    """It is read again with ours; whether its containers were made again nobody here knows."""
    file, web = folder / "compose.yaml", '[service.web]\ncompose = "."\n'
    file.write_text("services: {web: {depends_on: [db]}, db: {}, api: {}}")
    old = reads(web)
    assert reloaded(old, reads(web)) == ()
    file.write_text("services: {web: {depends_on: [db]}, db: {depends_on: [api]}, api: {}}")
    assert reloaded(old, reads(web)) == (f"web: {file} changed: it starts api → db → web",)
    file.write_text("services: {web: {depends_on: {db: {condition: service_healthy}}}, db: {}}")
    assert reloaded(old, reads(web)) == (f"web: {file} changed",)
