"""Every settings block, command and script of the pages on UiPath runs as it stands, against the sandbox.

Only hosts and ports are others. A command whose line ends in `# exit code N` must end so; all others must succeed.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest

from rpa_bridge.cli.reference import reference
from rpa_bridge.testing import SandboxThread
from rpa_bridge_uipath.sandbox.identity import CLIENT_SECRET
from rpa_bridge_uipath.sandbox.older_logins import PASSWORD, USER_KEY
from rpa_bridge_uipath.sandbox.tokens import PERSONAL_ACCESS_TOKEN
from rpa_bridge_uipath.settings import UiPathSettings
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "uipath.md"
SANDBOX_PAGE = ROOT / "docs" / "sandbox.md"
README = ROOT / "adapters" / "uipath" / "README.md"
SECRETS = {
    "UIPATH_SECRET": CLIENT_SECRET,
    "UIPATH_USER_KEY": USER_KEY,
    "UIPATH_PAT": PERSONAL_ACCESS_TOKEN,
    "UIPATH_PASSWORD": PASSWORD,
}
PROGRAM = "A program: `client_credentials`"
START = "rpa-bridge jobs start Invoices -i month=2026-10 --key invoices-2026-10 --wait"
BROWSER = "import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=20).read()"


class Section(NamedTuple):
    """What stands between two headings: the kind and the text of each block, in order."""

    heading: str
    blocks: list[tuple[str, str]]

    @property
    def settings(self) -> dict[str, Any] | None:
        """Its settings, if it has a block of them."""
        return next((json.loads(text) for kind, text in self.blocks if kind == "json"), None)


class Edition(NamedTuple):
    """A row of the table of editions."""

    url: str
    tenant: str
    identity: str


def sections(page: Path) -> list[Section]:
    """The sections of a page that have blocks."""
    parts = re.split(r"(?m)^##+ (?=\S)", page.read_text())
    found = [Section(part.partition("\n")[0], re.findall(r"(?ms)^```(\w+)\n(.*?)^```$", part)) for part in parts]
    return [section for section in found if section.blocks]


def editions() -> list[Edition]:
    rows = re.findall(r"(?m)^\| [\w ,]+ \| `(https://\S+)` \| (?:`(\w+)`)? ?\| `(https://\S+)` \|$", PAGE.read_text())
    return [Edition(*row) for row in rows]


class Reader:
    """Somebody with a terminal in a folder of their own, who types what the page says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        tools = folder / "bin"
        tools.mkdir()
        for name, command in (("rpa-bridge", '-m rpa_bridge "$@"'), ("python", '"$@"')):
            (tools / name).write_text(f"#!/bin/sh\nexec '{sys.executable}' {command}\n")
            (tools / name).chmod(0o700)
        (tools / "browser.py").write_text(BROWSER)
        mine = {name: value for name, value in os.environ.items() if not name.startswith("RPA_BRIDGE_")}
        self.environment = mine | {
            "PATH": f"{tools}:{os.environ['PATH']}",
            "RPA_BRIDGE_CACHE_DIR": str(folder / "cache"),
            "BROWSER": f"{sys.executable} {tools / 'browser.py'} %s",
        }

    def keep(self, settings: dict[str, Any]) -> None:
        """Writes settings.json."""
        file = self.folder / "settings.json"
        file.touch(mode=0o600)
        file.write_text(json.dumps(settings))

    def types(self, kind: str, text: str) -> str:
        """Runs a block; its output, which holds no secret."""
        command = ["bash", "-e", "-c", _with_exit_codes(text)] if kind == "bash" else [sys.executable, "-c", text]
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            input=f"{CLIENT_SECRET}\n",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout
        assert "Traceback" not in done.stdout
        return done.stdout


def _with_exit_codes(script: str) -> str:
    """The script, failing where a command does not end with the code that its comment names."""
    return re.sub(r"(?m)^(.+?) +# exit code (\d+)$", r"code=0; \1 || code=$?; test $code -eq \2", script)


def on_the_sandbox(settings: dict[str, Any], sandbox: SandboxThread) -> dict[str, Any]:
    """The page's settings with the sandbox in place of the platform."""
    origin = sandbox.sandbox.origins["uipath"]
    moved: dict[str, Any] = json.loads(re.sub(r"https://[\w.]+", origin, json.dumps(settings)))
    auth = moved["connections"]["erp"]["auth"]
    if auth["type"] == "refresh_token":
        auth["url"] = f"{origin}/oauth/token"
    if auth["type"] == "authorization_code":
        auth["redirect_url"] = f"http://127.0.0.1:{free_port()}"
    return moved


def run(section: Section, settings: dict[str, Any] | None, folder: Path) -> SandboxThread:
    """Runs all blocks of a section; the sandbox that they ran against, closed."""
    with SandboxThread(["uipath"]) as sandbox:
        reader = Reader(folder)
        reader.environment |= SECRETS
        full = {"connections": {"erp": sandbox.connections["uipath"]}}
        reader.keep(full if settings is None else on_the_sandbox(settings, sandbox))
        shown = "".join(reader.types(kind, text) for kind, text in section.blocks if kind != "json")
    assert not [secret for secret in SECRETS.values() if secret in shown]
    return sandbox


def starts(sandbox: SandboxThread) -> list[dict[str, Any]]:
    """What was started."""
    sent = [one for one in sandbox.world.exchanges if one.path.endswith("StartJobs") and one.executed]
    return [json.loads(one.body)["startInfo"] for one in sent]


@pytest.mark.parametrize("section", sections(PAGE), ids=lambda section: section.heading)
def test_a_section_runs_as_it_stands(section: Section, tmp_path: Path) -> None:
    sandbox = run(section, section.settings, tmp_path)

    assert all(start["Reference"] == "invoices-2026-10" for start in starts(sandbox))
    if section.settings is not None:
        assert len(starts(sandbox)) == 1, "in Python and on the command line, one key is one job"


@pytest.mark.parametrize("edition", editions(), ids=lambda edition: edition.url)
def test_every_edition_takes_the_settings_of_a_program(edition: Edition, tmp_path: Path) -> None:
    section = next(one for one in sections(PAGE) if one.heading == PROGRAM)
    settings = section.settings
    assert settings is not None
    erp = settings["connections"]["erp"]
    erp |= {"url": edition.url} | ({"tenant": edition.tenant} if edition.tenant else {})

    sandbox = run(Section(PROGRAM, [("bash", START)]), settings, tmp_path)

    assert UiPathSettings.model_validate({name: erp[name] for name in ("url", "auth")}).identity == edition.identity
    path = f"{urlsplit(edition.identity).path}/connect/token"
    assert [one.path for one in sandbox.world.exchanges if one.path.endswith("/token")] == [path]
    assert len(starts(sandbox)) == 1


def test_the_table_of_editions_is_read() -> None:
    assert len(editions()) == 4


def test_the_adapters_own_page_shows_settings_that_work(tmp_path: Path) -> None:
    (section,) = sections(README)
    assert section.settings is not None

    sandbox = run(Section("", [("bash", START)]), {"connections": {"erp": section.settings}}, tmp_path)

    assert len(starts(sandbox)) == 1


@pytest.mark.shows_secrets(
    "called", why="a shell is given the page's lines, and the secrets as a reader would type them"
)
def test_one_can_develop_against_the_sandbox_as_its_page_says(tmp_path: Path) -> None:
    section = next(one for one in sections(SANDBOX_PAGE) if one.heading == "Develop against UiPath")
    port, reader = free_port(3), Reader(tmp_path)
    script = "\n".join(["trap 'kill $!' EXIT", *(text for _, text in section.blocks)])
    for offset in range(3):
        script = script.replace(str(8500 + offset), str(port + offset))

    shown = reader.types("bash", script)

    assert "THIS IS A SANDBOX" in shown
    assert len(re.findall(r"letters-1\b", shown)) > 1
    assert "assign a machine" in shown
    assert "no alerts any more" in shown
    assert re.search(r"(?s)no alerts any more.*INV-4711.*INV-4711.*lapsed", shown)


@pytest.mark.parametrize("page", [PAGE, SANDBOX_PAGE, README], ids=lambda page: page.name)
def test_commands_within_sentences_exist(page: Path) -> None:
    known = reference()

    named = re.findall(r"`rpa-bridge ((?:[a-z]+ )?[a-z][a-z-]*)", re.sub(r"(?ms)^```.*?^```$", "", page.read_text()))

    assert not [command for command in named if f"| `{command}" not in known]
