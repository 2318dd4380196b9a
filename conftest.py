"""Every request that our UiPath adapter sends to a sandbox, in the whole test run, is held against UiPath's definition.

The published definition is not shipped. Where it lies beside the checkout each request is validated against it; and
everywhere against the facts that we took from it, `adapters/uipath/tests/operations.json`: an operation that is not
among them makes the test that sent it fail.
"""

from __future__ import annotations

import gc
import json
import os
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from aiohttp import web, web_app

from rpa_bridge import registry
from rpa_bridge.sandbox.stage import Stage

pytest_plugins = ["tests.canaries.plugin"]
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"  # no test writes into a person's keyring

ROOT = Path(__file__).parent
DEFINITION = ROOT.parent / "shared" / "vendors" / "uipath-orchestrator.openapi.json"
FACTS = ROOT / "adapters" / "uipath" / "tests" / "operations.json"
OURS = "rpa-bridge"
"""How our requests introduce themselves: those of other clients are free to be wrong."""
GIVEN = "/api/BlobStorage/"
"""Addresses of files that the sandbox gives out: they are its own to choose."""
BASES = ("/acme/default/orchestrator_", "/acme/default", "")
UPLOADS = ("multipart/", "application/octet-stream")
_VALUES = (
    (r"='(?:[^']|'')*'(?=[,)])", "=''"),
    (r"\('(?:[^']|'')*'\)", "('')"),
    (r"=[0-9a-f-]+(?=[,)])", "="),
    (r"\([0-9]+\)", "(0)"),
    (r"\([0-9a-f]{8}-[0-9a-f-]{27}\)", "(key)"),
    (r"(?<=/api/Buckets/)[0-9]+", "0"),
)


class Published:
    """What UiPath publishes, and what we know beyond it."""

    has_definition = DEFINITION.exists()

    def __init__(self) -> None:
        facts = json.loads(FACTS.read_text(encoding="utf-8"))
        self._published: dict[str, list[str]] = facts["published"]
        self._unpublished: dict[str, list[str]] = facts["not published"]
        self._newer: dict[str, dict[str, list[str]]] = facts["newer"]
        self._seen: dict[str, str | None] = {}

    def problem(self, method: str, address: str, body: bytes, content_type: str) -> str | None:
        """What is wrong with a request of ours; None when nothing is."""
        shape = f"{operation(method, address)} {sorted(_query(address))} {_shape(body)}"
        if shape not in self._seen:
            self._seen[shape] = self._problem(method, address, body, content_type)
        return self._seen[shape]

    def disagreements(self) -> list[str]:
        """Facts that the definition does not bear out: operations that it lacks, or has after all."""
        known = {_template(method, path) for path, item in _paths().items() for method in item}
        missing = [
            f"{name} is not in the definition" for name in self._published if _template(*_split(name)) not in known
        ]
        found = [f"{name} is in the definition" for name in self._unpublished if _template(*_split(name)) in known]
        return missing + found

    def _problem(self, method: str, address: str, body: bytes, content_type: str) -> str | None:
        name = operation(method, address)
        known = self._published.get(name, self._unpublished.get(name))
        if known is None:
            return f"{name} is not among our facts; look it up and add it to {FACTS.name}"
        document = json.loads(body) if body else {}
        given = set(document) if isinstance(document, dict) else set()
        if not given <= set(known):
            return f"{name}: its body has {sorted(given - set(known))}, which are not among our facts"
        if not self.has_definition or name in self._unpublished or content_type.startswith(UPLOADS):
            return None
        return None if self._is_newer(name, given) else _refusal(method, address, body)

    def _is_newer(self, name: str, given: set[str]) -> bool:
        """Whether the body is of servers that are newer than the definition."""
        newer = self._newer.get(name, {})
        return bool(given.intersection(newer.get("with", ())) or set(newer.get("without", ())) - given)


def operation(method: str, address: str) -> str:
    """Method and path, without the values in it."""
    path = _below(urlsplit(address).path)
    for pattern, instead in _VALUES:
        path = re.sub(pattern, instead, path)
    return f"{method} {path}"


def _template(method: str, path: str) -> str:
    """The same text for a path of the definition and for one of our facts."""
    names_only = re.sub(r"='[^']*'|=\{\w+\}", "=", path.replace("{id}", "0"))
    keyless = re.sub(r"[(](?:[0-9]+|key|[{]\w+[}]|[^a-z=]*)[)]", "(0)", names_only)
    return f"{method.upper()} {keyless}"


def _split(name: str) -> tuple[str, str]:
    method, _, path = name.partition(" ")
    return method, path


def _below(path: str) -> str:
    return next(unquote(path.removeprefix(base)) for base in BASES if path.startswith(base))


def _query(address: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(address).query, keep_blank_values=True))


def _shape(body: bytes) -> str:
    """The body's names and types, so that what differs only in values is validated once."""

    def of(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: of(one) for name, one in value.items()}
        return [of(one) for one in value[:1]] if isinstance(value, list) else type(value).__name__

    return json.dumps(of(json.loads(body)), sort_keys=True) if body else ""


@cache
def _document() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(DEFINITION.read_text(encoding="utf-8"))
    return document | {"servers": [{"url": "/"}]}


def _paths() -> dict[str, dict[str, Any]]:
    paths: dict[str, dict[str, Any]] = _document()["paths"]
    return paths


@cache
def _definition() -> Any:
    from openapi_core import Config, OpenAPI

    return OpenAPI.from_dict(_document(), config=Config(spec_validator_cls=None))


def _refusal(method: str, address: str, body: bytes) -> str | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library's own: it does not know one of the definition's security schemes
        from openapi_core.exceptions import OpenAPIError
        from openapi_core.testing import MockRequest

        request = MockRequest(
            "http://localhost",
            method.lower(),
            _below(urlsplit(address).path),
            args=_query(address),
            headers={"Authorization": "Bearer sandbox"},
            data=body or None,
            content_type="application/json",
        )
        try:
            _definition().validate_request(request)
        except OpenAPIError as error:
            return f"{method} {address}: {error!r} {error.__cause__!r}"
    return None


@pytest.fixture(scope="session")
def published() -> Published:
    """The definition and the facts."""
    return Published()


@pytest.fixture
def problems() -> list[str]:
    """What was wrong with requests of this test; whoever expects something takes it out."""
    return []


@pytest.fixture(autouse=True)
def _requests_are_as_published(
    monkeypatch: pytest.MonkeyPatch, published: Published, problems: list[str]
) -> Iterator[None]:
    read_body: Callable[[Stage, web.Request], Any] = Stage._body  # noqa: SLF001 - where each request passes, still whole

    async def body_of_a_checked_request(stage: Stage, request: web.Request) -> str:
        text: str = await read_body(stage, request)
        path = _below(request.path)
        is_api = path.startswith(("/odata/", "/api/")) and not path.startswith(GIVEN)
        if stage._face.name == "uipath" and is_api and request.headers.get("User-Agent") == OURS:  # noqa: SLF001
            upload = request.content_type.startswith(UPLOADS)
            body = b"" if upload else await request.read()
            problem = published.problem(request.method, request.raw_path, body, request.content_type)
            problems.extend([problem] if problem else [])
        return text

    monkeypatch.setattr(Stage, "_body", body_of_a_checked_request)
    yield
    if problems:
        pytest.fail("\n".join(dict.fromkeys(problems)))


@pytest.fixture(scope="session", autouse=True)
def _what_is_installed_is_looked_up_once() -> Iterator[None]:
    """Spares thousands of searches; a test that installs something has another `sys.path`, and is told of it."""
    usual, path = registry.installed, list(sys.path)
    known = cache(usual)

    def installed(group: str = registry.ADAPTERS) -> list[registry.Installed]:
        return known(group) if sys.path == path else usual(group)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "installed", installed)
        yield


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """All tests run in a process for each core; those that somebody names run in one, which begins sooner."""
    is_whole = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    return (os.cpu_count() or 1) if is_whole else 0


def pytest_collection_finish() -> None:
    """What is there before the first test stays until the end: nobody need look for garbage in it."""
    gc.collect()
    gc.freeze()


def pytest_runtest_logfinish() -> None:
    """aiohttp keeps the last 1,024 handlers, and by them hundreds of sandboxes that have ended, with all they held."""
    web_app._cached_build_middleware.cache_clear()  # noqa: SLF001 - a third of the time went into walking over them
