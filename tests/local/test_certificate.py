"""The certificate's files: what is said of bad ones, and when they are read again."""

import ssl
from pathlib import Path

import pytest
from tests.local.certificates import Pair, make_pair

from wakegate.core.errors import StateError
from wakegate.local.certificate import Certificate


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    """A certificate and its key."""
    return make_pair(tmp_path)


def read(pair: Pair) -> Certificate:
    """Read it."""
    return Certificate(str(pair.certificate), str(pair.key))


def test_old_versions_of_tls_are_not_spoken(pair: Pair) -> None:
    """1.0 and 1.1 are broken; RFC 8996 says so."""
    assert read(pair).context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_a_file_that_is_missing_is_named(pair: Pair) -> None:
    """OpenSSL would say "No such file" of two of them."""
    pair.key.unlink()
    with pytest.raises(StateError, match=r"gateway\.key cannot be read: No such file"):
        read(pair)


def test_a_key_of_another_certificate_is_refused(pair: Pair, tmp_path: Path) -> None:
    """Clients would be refused one by one, with no word why."""
    other = make_pair(tmp_path, "other")
    with pytest.raises(StateError, match=r"other\.key is not the key of .*gateway\.crt"):
        read(Pair(pair.certificate, other.key))


@pytest.mark.parametrize("content", ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_what_is_no_certificate_is_refused(pair: Pair, content: str) -> None:
    """Also an empty file, as a copy that was cut off leaves it."""
    pair.certificate.write_text(content)
    with pytest.raises(StateError, match=r"are no certificate and key in PEM"):
        read(pair)


def test_files_that_have_not_changed_are_not_read_again(pair: Pair) -> None:
    """They are looked at every second."""
    certificate = read(pair)
    before = certificate.context
    assert not certificate.refresh()
    assert certificate.context is before


def test_a_pair_that_is_half_written_keeps_the_old_one_until_it_is_whole(pair: Pair, tmp_path: Path) -> None:
    """Between the two renames of a renewal the files do not fit each other; each state is told once."""
    certificate, new = read(pair), make_pair(tmp_path, "new")
    before = certificate.context
    new.certificate.replace(pair.certificate)
    with pytest.raises(StateError, match="is not the key of"):
        certificate.refresh()
    assert not certificate.refresh()
    assert certificate.context is before
    new.key.replace(pair.key)
    assert certificate.refresh()
    assert certificate.context is not before


def test_a_file_that_is_gone_for_a_moment_keeps_the_old_one(pair: Pair, tmp_path: Path) -> None:
    """Some tools remove before they write."""
    certificate = read(pair)
    pair.key.replace(tmp_path / "away")
    with pytest.raises(StateError, match="cannot be read"):
        certificate.refresh()
    assert not certificate.refresh()
    (tmp_path / "away").replace(pair.key)
    assert certificate.refresh()
