"""A site that was not written for this: Flask under gunicorn, behind `wakegate up --` without any file."""

import re
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from tests.scenarios.gateway import Wakegate, eventually

SITE = Path(__file__).parent / "flask_site"
GUNICORN = ("gunicorn", "app:app", "-b", "127.0.0.1:{port}", "-w", "2")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Wakegate]:
    """Serve the site from a folder of its own."""
    folder = tmp_path / "site"
    shutil.copytree(SITE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    gateway = Wakegate(folder, "--idle-timeout", "1s", "--", *GUNICORN)
    try:
        gateway.start()
        yield gateway
    finally:
        gateway.end()


def gunicorns(gateway: Wakegate) -> list[psutil.Process]:
    """Return the master and the workers that serve this site, whoever is their parent by now."""
    found = []
    for process in psutil.process_iter(["cmdline", "cwd", "status"]):
        is_ours = process.info["cwd"] == str(gateway.folder) and "app:app" in (process.info["cmdline"] or [])
        if is_ours and "wakegate" not in process.info["cmdline"] and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(process)
    return found


def test_a_site_wakes_works_and_stays_the_same_over_its_sleep(site: Wakegate) -> None:
    """Its own session and Wakegate's live side by side, and both outlast the processes."""
    client = site.client
    assert gunicorns(site) == []
    assert "stranger. Visit 1" in client.get("/").text
    answer = client.post("/login", data={"name": "Ada"})
    assert (answer.status_code, answer.headers["location"]) == (302, "/")
    assert "Hello, Ada. Visit 2" in client.get("/").text
    assert {cookie.name for cookie in client.cookies.jar} == {"session", "uuid"}
    ours = client.cookies["uuid"]
    site.wait_for("asleep")
    eventually(lambda: gunicorns(site) == [], what="no gunicorn is left")
    assert "Hello, Ada. Visit 3" in client.get("/").text
    assert client.cookies["uuid"] == ours
    assert len(site.told("woke")) >= 2
    assert ours.partition(".")[0][:8] in site.cli("sessions", "web").stdout


def test_a_stream_of_a_site_comes_as_it_is_made(site: Wakegate) -> None:
    """Longer than the idle timeout, line by line, and it is not cut."""
    began_s = time.monotonic()
    with site.client.stream("GET", "/lines?n=16&s=0.1") as answer:
        lines = answer.iter_lines()
        assert next(lines) == "line 0 for None"
        assert answer.headers["transfer-encoding"] == "chunked"
        assert len(list(lines)) == 15
    assert time.monotonic() - began_s > 1.5
    assert site.told("draining") == []


def test_forms_files_redirects_and_errors_are_the_sites_own(site: Wakegate) -> None:
    """What the gateway answers itself must never be mistaken for the app, nor the other way round."""
    client = site.client
    style = client.get("/static/style.css")
    assert (style.status_code, "text/css" in style.headers["content-type"]) == (200, True)
    again = client.get("/static/style.css", headers={"If-None-Match": style.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    part = client.get("/static/style.css", headers={"Range": "bytes=0-0"})
    assert (part.status_code, part.text) == (206, "p")
    assert client.post("/upload", files={"file": ("a.bin", b"x" * 300_000)}).json() == {
        "name": "a.bin",
        "length": 300_000,
    }
    assert client.get("/login").status_code == 200
    assert client.put("/login").status_code == 405
    missing = client.get("/nowhere")
    assert (missing.status_code, "in no guest book" in missing.text) == (404, True)
    assert client.get("/secret").status_code == 403
    assert client.head("/").content == b""


def test_a_site_makes_links_that_lead_back_to_the_gateway(site: Wakegate) -> None:
    """The Host goes on as it came: an absolute link to the app's own port would be dead after the next sleep."""
    where = site.client.get("/where").json()
    assert where["external"] == f"{site.url}/"
    assert where["url"] == f"{site.url}/where"


def test_both_workers_of_a_site_serve(site: Wakegate) -> None:
    """One replica is gunicorn as it was asked for: its master and two workers."""
    seen: set[str] = set()

    def both() -> bool:
        answers = [answer.result() for answer in site.together(8)]
        assert {answer.status_code for answer in answers} == {200}
        seen.update(re.findall(r"worker (\d+)", " ".join(answer.text for answer in answers)))
        return len(seen) == 2

    eventually(both, what="two workers have answered")
    assert len(gunicorns(site)) == 3


def test_stopping_the_gateway_leaves_no_gunicorn_behind(site: Wakegate) -> None:
    """Nor does it cut what a worker is at."""
    with site.client.stream("GET", "/lines?n=8&s=0.1") as answer:
        lines = answer.iter_lines()
        next(lines)
        site.process.send_signal(signal.SIGTERM)
        assert len(list(lines)) == 7
    assert site.stop() == 0
    assert gunicorns(site) == []


def test_a_killed_gateway_takes_its_gunicorn_back(site: Wakegate) -> None:
    """The site serves on with the workers that it had, and is stopped as a whole."""
    site.client.post("/login", data={"name": "Ada"})
    cookies = dict(site.client.cookies)
    eventually(lambda: len(gunicorns(site)) == 3, what="both workers are there")
    before = {process.pid for process in gunicorns(site)}
    site.kill()
    site.start()
    site.client.cookies.update(cookies)
    assert "Hello, Ada" in site.client.get("/").text
    assert {process.pid for process in gunicorns(site)} == before
    assert site.stop() == 0
    assert gunicorns(site) == []
