"""The scanner itself: a run of its own over tests that leak, each of which must fail, and over tests that do not."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.canaries.plugin import WAYS
from tests.canaries.scan import finds, forms

ROOT = Path(__file__).parents[2]
LEAKING = """
import base64, json, logging, subprocess, sys, traceback, warnings
from urllib.parse import quote
import click, pytest
from click.testing import CliRunner
from rpa_bridge.redaction import REDACTOR, RedactingFilter
from rpa_bridge.sandbox.world import Exchange, World

LOG = logging.getLogger("somebody")

@pytest.fixture
def secret():
    token = World().new_token('ä/"')
    REDACTOR.add(token)
    return token

@pytest.mark.parametrize("form", [
    str, lambda secret: base64.b64encode(f"user:{secret}".encode()).decode(), lambda secret: quote(secret, safe=""),
    lambda secret: json.dumps([secret]), lambda secret: secret.encode().hex(),
])
def test_leaks_a_form(secret, form):
    LOG.debug("sent %s", form(secret))

def test_leaks_log_of_an_exception(secret):
    try:
        try:
            raise KeyError(secret)
        except KeyError as error:
            raise ValueError("no") from error
    except ValueError:
        LOG.exception("it failed")

def test_leaks_output(secret):
    print(secret)

def test_leaks_output_on_stderr(secret, capfd):
    print(secret, file=sys.stderr)
    capfd.readouterr()

def test_leaks_output_of_a_command(secret):
    CliRunner().invoke(click.command(lambda: click.echo(secret)))

def test_leaks_process(secret):
    subprocess.run([sys.executable, "-c", "print(input())"], input=secret, text=True, capture_output=True)

def test_leaks_called(secret):
    subprocess.run([sys.executable, "-c", "pass", secret])

def test_leaks_error(secret):
    with pytest.raises(ValueError):
        try:
            raise KeyError(secret)
        except KeyError:
            raise ValueError("no")

def test_leaks_warning(secret):
    warnings.warn(secret)

def test_leaks_file(secret, tmp_path):
    (tmp_path / "job.log").write_text(secret)

def test_leaks_file_of_settings_that_others_can_read(secret, tmp_path):
    (tmp_path / "settings.json").write_text(secret)

def test_leaks_request(secret):
    World().note(Exchange(number=1, at=None, face="f", method="GET", path=f"/?sig={secret}"))

def test_keeps_what_is_masked(secret, tmp_path):
    handler = logging.FileHandler(tmp_path / "log.txt")
    handler.addFilter(RedactingFilter())
    LOG.addHandler(handler)
    LOG.error("said %s", secret)
    LOG.removeHandler(handler)
    handler.close()
    assert (tmp_path / "log.txt").read_text() == "said ***\\n"

def test_keeps_a_private_file(secret, tmp_path):
    (tmp_path / "settings.json").touch(mode=0o600)
    (tmp_path / "settings.json").write_text(secret)

@pytest.mark.shows_secrets("output", why="it is asked to")
def test_keeps_what_is_meant(secret):
    print(secret)

@pytest.mark.shows_secrets("output", why="it is asked to")
def test_leaks_another_way_than_it_says(secret):
    LOG.debug(secret)

def test_keeps_the_usual_level(caplog):
    LOG.debug("nobody asked for this")
    LOG.warning("everybody gets this")
    assert caplog.messages == ["everybody gets this"]
    with caplog.at_level(logging.DEBUG, "somebody"):
        LOG.debug("this was asked for")
        logging.getLogger("somebody else").debug("nor for this")
    assert caplog.messages == ["everybody gets this", "this was asked for"]
"""


def test_each_leak_fails_its_test_and_nothing_else_does(tmp_path: Path) -> None:
    (tmp_path / "test_leaking.py").write_text(LEAKING)
    call = [sys.executable, "-m", "pytest", "-p", "tests.canaries.plugin", "-p", "no:cacheprovider", "-rA", "-q", "."]
    env = os.environ | {"PYTHONPATH": str(ROOT)}

    done = subprocess.run(call, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120)

    failed = set(re.findall(r"^ERROR test_leaking.py::(\S+)", done.stdout, re.MULTILINE))
    passed = set(re.findall(r"^PASSED test_leaking.py::(\S+)", done.stdout, re.MULTILINE))
    leaking = {name for name in passed if name.startswith("test_leaks")}
    assert failed == leaking, done.stdout
    assert len(leaking) == LEAKING.count("def test_leaks") + 4
    assert set(re.findall(r"^(\w+): a secret of ", done.stdout, re.MULTILINE)) == set(WAYS)


@pytest.mark.parametrize("before", ["", "u", "us", "usr"])
@pytest.mark.parametrize("secret", ["eight-ch", "nine-char", "ten-chars!", "größer&größer"])
def test_base64_is_found_behind_any_other_text(secret: str, before: str) -> None:
    encoded = [form for form, how in forms(f"{before}{secret} and more").items() if how == "in base64"]
    assert any(list(finds(text, {secret})) for text in encoded)


def test_a_find_does_not_show_what_it_found() -> None:
    (told,) = finds("Authorization: another-secret some-secret", {"some-secret"})
    assert told == "a secret of 11 characters in clear behind 'Authorization: another-secret '"
    assert "secret-1" not in "".join(finds("secret-12 secret-13", {"secret-12", "secret-13"}))
