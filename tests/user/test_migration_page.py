"""The page on moving house is true: its commands run as they stand, and say what it shows that they say.

A section with commands runs in a folder and on sandboxes of its own; `<!-- given: ... -->` names what was done before.
A command whose line ends in `# exit code N` must end so; all others must succeed. A text block is what the command
before it said; a line of … stands for any lines. Only addresses and times are others.
"""

from __future__ import annotations

import ast
import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner

from rpa_bridge.cli.main import main
from rpa_bridge.cli.reference import reference
from rpa_bridge.contract.queues import ItemDraft, QueueDraft
from rpa_bridge.migration import RowState, Rules
from rpa_bridge.migration.verifying.verdicts import Outcome
from rpa_bridge.sync import Bridge
from rpa_bridge.testing import SandboxThread

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "migration.md").read_text(encoding="utf-8")
ADDRESSES = {
    "uipath": "https://cloud.uipath.com",
    "botmaestro": "https://acme.botcity.dev",
}
NAMES = {"uipath-prod": "uipath", "maestro": "botmaestro"}
SECRET = "canary-of-the-page-55d0"
OTHERS_CODES = {"stays_at_source", "missing", "differing", "duplicated", "unverifiable"}
"""Codes of rows that are no dead letters."""


class Section(NamedTuple):
    heading: str
    given: list[str]
    blocks: list[tuple[str, str]]


def sections() -> list[Section]:
    """The sections that have commands."""
    found = []
    for part in re.split(r"(?m)^##+ (?=\S)", PAGE):
        given = re.search(r"<!-- given: (.*?) -->", part)
        blocks = re.findall(r"(?ms)^```(\w+)\n(.*?)^```$", part)
        found.append(Section(part.partition("\n")[0], given[1].split(", ") if given else [], blocks))
    return [one for one in found if any(kind == "bash" for kind, _ in one.blocks)]


def rules_blocks() -> list[str]:
    return re.findall(r"(?ms)^```toml\n(.*?)^```$", PAGE)


@pytest.fixture(scope="module")
def played() -> Iterator[SandboxThread]:
    with SandboxThread(["uipath", "botmaestro"]) as sandbox:
        yield sandbox


class Reader:
    """Somebody who types what the page says."""

    def __init__(self, sandbox: SandboxThread, patch: pytest.MonkeyPatch) -> None:
        self._sandbox, self._patch = sandbox, patch
        self.said = ""

    def types(self, script: str) -> None:
        """Runs a block, line by line; the last command's words stay."""
        for line in script.splitlines():
            command, _, code = re.sub(r" +# (?!exit code).*$", "", line).partition("# exit code ")
            self._type(shlex.split(command), int(code or 0))

    def sees(self, text: str) -> None:
        """Holds what was said against a block of the page."""
        lines = (".*?" if line.strip() == "…" else re.escape(line) for line in _timeless(text).rstrip().split("\n"))
        assert re.fullmatch(r"\s*" + "\n".join(lines) + r"\s*", self._as_on_the_page(), re.DOTALL), (
            self._as_on_the_page()
        )

    def _type(self, words: list[str], code: int) -> None:
        if words[:2] == ["read", "-rs"]:
            self._patch.setenv(words[2], SECRET)
            return
        assert words[0] == "rpa-bridge", words
        arguments, into = words[1:], None
        if ">" in arguments:
            arguments, into = arguments[:-2], arguments[-1]
        with CliRunner().isolation() as (out, err, _), pytest.raises(SystemExit) as end:
            main(arguments)
        told = out.getvalue().decode()
        self.said = told + err.getvalue().decode()
        assert end.value.code == code, (words, self.said)
        assert SECRET not in self.said
        if into is not None:
            Path(into).write_text(told)

    def _as_on_the_page(self) -> str:
        said = self.said
        for face, address in ADDRESSES.items():
            said = said.replace(self._sandbox.sandbox.origins[face], address)
        return _timeless(said).rstrip()


def _timeless(text: str) -> str:
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ", "TIME", text)


@pytest.fixture
def reader(played: SandboxThread, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Reader:
    """A reader in front of both platforms, one of which has orders; not below `tmp_path`: backups hold secrets."""
    played.sandbox.reset()
    monkeypatch.chdir(tmp_path_factory.mktemp("reader"))
    for variable in ("RPA_BRIDGE_SETTINGS", "RPA_BRIDGE_ON", "RPA_BRIDGE_OUTPUT"):
        monkeypatch.delenv(variable, raising=False)
    settings = Path("settings.json")
    settings.touch(mode=0o600)
    connections = {name: played.connections[face] for name, face in NAMES.items()}
    settings.write_text(json.dumps({"connections": connections, "cache_dir": None}))
    monkeypatch.setenv("SAP_USER", "robot-4711")
    monkeypatch.setenv("SAP_PASSWORD", SECRET)
    with Bridge.load() as bridge:
        _fill(bridge)
    return Reader(played, monkeypatch)


def _fill(bridge: Any) -> None:
    prod = bridge["uipath-prod"]
    prod.queues.create(QueueDraft(name="Orders", retries=2, unique_references=True))
    drafts = [
        ItemDraft(values={"number": str(4711 + n), "amount": 12.5 + n, "note": None}, reference=f"ORD-{4711 + n}")
        for n in range(240)
    ]
    drafts.append(ItemDraft(values={"number": "n/a", "amount": 0.0, "note": None}, reference="ORD-X"))
    prod.queues.add_many("Orders", drafts)
    prod.assets.put("VatRate", "0.19")
    bridge["maestro"].jobs.start("Invoices")


GIVEN = {
    "a plan": "rpa-bridge migrate plan uipath-prod maestro --queues Orders --assets VatRate --credentials SAP "
    "--artifacts 'Reports/**' --rules rules.toml -o orders.json",
    "a copy": "rpa-bridge migrate apply orders.json # exit code 3",
}


@pytest.mark.parametrize("section", sections(), ids=lambda section: section.heading)
def test_a_section_runs_as_it_stands(section: Section, reader: Reader) -> None:
    Path("rules.toml").write_text(rules_blocks()[0])
    for what in section.given:
        if what == "a lost journal":
            for file in Path().glob("orders.json.journal*"):
                file.unlink()
        else:
            reader.types(GIVEN[what])
    for kind, text in section.blocks:
        if kind == "bash":
            reader.types(text)
        elif kind == "text":
            reader.sees(text)


@pytest.mark.parametrize("rules", rules_blocks(), ids=lambda text: text.splitlines()[0])
def test_rules_are_rules_and_fit(rules: str, reader: Reader) -> None:
    Rules.of(tomllib.loads(rules))
    Path("these.toml").write_text(rules)
    everything = "--queues --assets --credentials --artifacts"
    reader.types(f"rpa-bridge migrate plan uipath-prod maestro {everything} --rules these.toml")
    assert "fits nothing" not in reader.said


def test_the_words_of_the_page_are_those_of_the_code() -> None:
    firsts = set(re.findall(r"(?m)^\| `(\w+)`", PAGE))
    nodes = [
        node for path in ROOT.glob("rpa_bridge/migration/**/*.py") for node in ast.walk(ast.parse(path.read_text()))
    ]
    given = [one.value for node in nodes if isinstance(node, ast.Call) for one in node.keywords if one.arg == "code"]
    codes = {one.value for one in given if isinstance(one, ast.Constant)} - OTHERS_CODES
    assert codes >= {"refused", "drifted"}
    assert firsts == set(RowState) | set(Outcome) | codes


def test_the_python_of_the_page_is_that_of_the_example() -> None:
    example = (ROOT / "examples" / "migrate.py").read_text(encoding="utf-8")
    [block] = re.findall(r"(?ms)^```python\n(.*?)^```$", PAGE)
    assert block in example


def test_commands_within_sentences_and_in_the_readme_exist() -> None:
    known, readme = reference(), (ROOT / "README.md").read_text(encoding="utf-8").partition("\n## Moving house\n")[2]
    named = re.findall(r"`rpa-bridge ((?:[a-z]+ )?[a-z][a-z-]*)", re.sub(r"(?ms)^```.*?^```$", "", PAGE))
    named += re.findall(r"(?m)^rpa-bridge ((?:migrate )?[a-z]+)", readme)
    assert {"migrate verify", "backup"} < set(named)
    assert not [command for command in named if f"| `{command}" not in known]


def test_options_within_sentences_exist() -> None:
    import rpa_bridge.cli.migrate_endings  # noqa: F401 - it adds its verbs to the group
    from rpa_bridge.cli.backup import backup, restore
    from rpa_bridge.cli.migrate import migrate

    commands = [*migrate.commands.values(), backup, restore]
    known = {option for command in commands for param in command.params for option in param.opts}
    named = set(re.findall(r"`(--[a-z-]+)", PAGE))
    assert named <= known | {"--on"}, named - known
