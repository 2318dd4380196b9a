"""References in settings: what they stand for, and what is said when they stand for nothing."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import keyring
import pytest
from keyring.backends.fail import Keyring as NoKeyring

from rpa_bridge.errors import ConfigError
from rpa_bridge.redaction import REDACTOR
from rpa_bridge.settings import Settings
from rpa_bridge.settings.documents import Origin
from rpa_bridge.settings.references import MOST_FILE_BYTES, Resolver, escape, has_reference, unescape

PLACE = ("connections", "uipath-prod", "auth", "client_secret")
POSIX = pytest.mark.skipif(os.name != "posix", reason="Windows has neither modes nor named pipes in folders")
ENVIRON = {"NAME": "value-of-name", "TRAP": "${env:NAME}", "EMPTY": ""}


@pytest.fixture
def resolver(tmp_path: Path) -> Resolver:
    return Resolver(Origin(tmp_path / "settings.json"), ENVIRON)


def secret_file(path: Path, content: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


class TestExpansion:
    @pytest.mark.parametrize(
        ("written", "meant"),
        [
            ("plain", "plain"),
            ("$NAME", "value-of-name"),
            ("${env:NAME}", "value-of-name"),
            ("a-${env:NAME}-${env:NAME}-z", "a-value-of-name-value-of-name-z"),
            ("$NAME-", "$NAME-"),
            ("pa$word", "pa$word"),
            ("$5", "$5"),
            ("$$NAME", "$NAME"),
            ("$${env:NAME}", "${env:NAME}"),
            ("a$$b$$", "a$b$"),
            ("$$$$", "$$"),
            ("${env:TRAP}", "${env:NAME}"),
            ("$TRAP", "${env:NAME}"),
        ],
    )
    def test_happens_once(self, resolver: Resolver, written: str, meant: str) -> None:
        assert resolver.resolve(written, PLACE) == meant

    def test_reaches_every_text_and_leaves_the_rest(self, resolver: Resolver) -> None:
        written = {"a": ["$NAME", {"b": "${env:NAME}"}], "n": 1, "t": True, "none": None}
        meant = {"a": ["value-of-name", {"b": "value-of-name"}], "n": 1, "t": True, "none": None}
        assert resolver.resolve(written, ()) == meant

    def test_tells_the_redactor(self) -> None:
        Resolver(Origin(), {"A": "referenced-canary-1"}).resolve("x ${env:A}", PLACE)
        assert REDACTOR.clean("referenced-canary-1") == "***"

    @pytest.mark.parametrize("text", ["$NAME", "a$b", "${env:NAME}", "$$", "100%"])
    def test_of_an_escaped_text_gives_the_text(self, resolver: Resolver, text: str) -> None:
        assert not has_reference(escape(text))
        assert resolver.resolve(escape(text), PLACE) == unescape(escape(text)) == text


class TestProblems:
    @pytest.mark.parametrize("written", ["$GONE", "${env:GONE}", "x${env:GONE}"])
    def test_a_missing_variable_is_named_with_its_place(self, resolver: Resolver, written: str) -> None:
        with pytest.raises(
            ConfigError,
            match=r"settings\.json: connections\.uipath-prod\.auth\.client_secret needs the environment variable GONE",
        ):
            resolver.resolve(written, PLACE)

    def test_an_empty_variable_is_as_good_as_none(self, resolver: Resolver) -> None:
        with pytest.raises(ConfigError, match="EMPTY, which is not set"):
            resolver.resolve("$EMPTY", PLACE)

    @pytest.mark.parametrize("written", ["${vault:canary}", "${canary}", "canary${", "${env:}", "${ENV:canary}"])
    def test_a_reference_of_no_kind_is_refused_without_showing_it(self, resolver: Resolver, written: str) -> None:
        with pytest.raises(ConfigError, match=r"write \$\{env:NAME\}, .* or \$\$ for a dollar") as caught:
            resolver.resolve(written, PLACE)
        assert "canary" not in str(caught.value)

    def test_of_one_connection_harms_no_other(self) -> None:
        settings = Settings.of(
            {"connections": {"a": {"adapter": "x", "key": "$GONE_AND_LOST"}, "b": {"adapter": "x", "url": "u"}}}
        )
        assert list(settings.connections) == ["a", "b"]


class TestFiles:
    @pytest.mark.parametrize(
        ("content", "meant"),
        [(b"s3cret", "s3cret"), (b"s3cret\n", "s3cret"), (b"s3cret\r\n", "s3cret"), (b"s3cret\n\n", "s3cret\n")],
    )
    def test_one_line_end_is_no_part_of_the_value(
        self, resolver: Resolver, tmp_path: Path, content: bytes, meant: str
    ) -> None:
        secret_file(tmp_path / "secret", content)
        assert resolver.resolve("${file:secret}", PLACE) == meant
        assert resolver.resolve(f"${{file:{tmp_path}/secret}}", PLACE) == meant

    @POSIX
    def test_a_link_is_judged_by_what_it_leads_to(self, resolver: Resolver, tmp_path: Path) -> None:
        target = secret_file(tmp_path / "target", b"s3cret")
        (tmp_path / "link").symlink_to(target)
        assert resolver.resolve("${file:link}", PLACE) == "s3cret"
        target.chmod(0o644)
        with pytest.raises(ConfigError, match="others can read or change"):
            resolver.resolve("${file:link}", PLACE)

    @POSIX
    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o622, 0o601])
    def test_a_file_that_is_not_ours_alone_is_refused(self, resolver: Resolver, tmp_path: Path, mode: int) -> None:
        path = secret_file(tmp_path / "secret", b"canary-in-file", mode)
        with pytest.raises(ConfigError, match=rf"\(mode {mode:04o}\); run chmod 600 {path}") as caught:
            resolver.resolve("${file:secret}", PLACE)
        assert "canary" not in str(caught.value)

    @POSIX
    def test_what_is_no_small_text_file_is_refused(self, resolver: Resolver, tmp_path: Path) -> None:
        secret_file(tmp_path / "large", b"x" * (MOST_FILE_BYTES + 1))
        secret_file(tmp_path / "binary", b"canary\xff\xfe")
        secret_file(tmp_path / "empty", b"\n")
        os.mkfifo(tmp_path / "pipe")
        problems = {
            "large": f"is larger than {MOST_FILE_BYTES} bytes",
            "binary": "is not UTF-8 text",
            "empty": "is empty",
            "pipe": "is not a regular file",
            "gone": "cannot be read (No such file or directory)",
            ".": "is not a regular file",
        }
        for name, problem in problems.items():
            with pytest.raises(ConfigError) as caught:
                resolver.resolve(f"${{file:{name}}}", PLACE)
            assert problem in str(caught.value), name
            assert caught.value.__context__ is None, "a decoding error carries the content"

    @pytest.mark.shows_secrets("file", why="the settings refer to it")
    def test_the_largest_file_is_read(self, resolver: Resolver, tmp_path: Path) -> None:
        secret_file(tmp_path / "large", b"x" * MOST_FILE_BYTES)
        assert resolver.resolve("${file:large}", PLACE) == "x" * MOST_FILE_BYTES


class MemoryKeyring:
    """As much of a backend as is asked for."""

    def get_password(self, service: str, username: str) -> str | None:
        return {("botmaestro", "acme"): "kept-in-keyring", ("https://x/y", "me"): "by-address"}.get((service, username))


class TestKeyring:
    @pytest.fixture(autouse=True)
    def backend(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(keyring.core, "_keyring_backend", MemoryKeyring())

    def test_gives_the_password_of_a_user(self, resolver: Resolver) -> None:
        assert resolver.resolve("${keyring:botmaestro/acme}", PLACE) == "kept-in-keyring"
        assert resolver.resolve("${keyring:https://x/y/me}", PLACE) == "by-address"
        assert REDACTOR.clean("kept-in-keyring") == "***"

    def test_says_how_to_store_what_it_lacks(self, resolver: Resolver) -> None:
        with pytest.raises(ConfigError, match="run keyring set botmaestro nobody"):
            resolver.resolve("${keyring:botmaestro/nobody}", PLACE)

    def test_needs_service_and_user(self, resolver: Resolver) -> None:
        with pytest.raises(ConfigError, match="must name both"):
            resolver.resolve("${keyring:botmaestro}", PLACE)

    def test_without_a_backend_the_mend_is_named(self, resolver: Resolver, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(keyring.core, "_keyring_backend", NoKeyring())
        with pytest.raises(ConfigError, match=r"needs a working keyring \(NoKeyringError\); install or unlock one"):
            resolver.resolve("${keyring:botmaestro/acme}", PLACE)

    def test_without_the_package_the_mend_is_named(self, resolver: Resolver, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "keyring", None)
        with pytest.raises(ConfigError, match=r"run pip install 'rpa-bridge\[keyring\]'"):
            resolver.resolve("${keyring:botmaestro/acme}", PLACE)
