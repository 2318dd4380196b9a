"""The flat settings.json of UiPath's Python community, and how it becomes ours. docs: uipath.md 2.1"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from rpa_bridge.errors import ConfigError

from .references import embeddable, escape, has_reference

CONNECTION = "uipath"
TOKEN_PATH = "/oauth/token"  # noqa: S105 - an address
DEFAULT_LOGIN = "https://account.uipath.com"

_TELLTALE = {"OAuthUrl", "AccountLogicName", "TenantName", "DefaultFolder", "UserKey", "ClientId"}
_TOKENS = ("access_token", "id_token", "scope", "expires_in", "token_type", "init_time")
_WHY_DROPPED = {
    "ReleaseKey": "jobs.start takes the automation's name; rpa-bridge automations lists them",
    "RobotId": "the folder's own robots run the jobs; rpa-bridge robots lists them where the adapter can",
}


@dataclass(frozen=True, slots=True)
class MovedSecret:
    """A secret that was taken out of the settings: put the old file's value of `key` into `variable`."""

    key: str
    variable: str


@dataclass(frozen=True, slots=True)
class Conversion:
    """Settings in our form; no secret is in them."""

    document: dict[str, Any]
    secrets: tuple[MovedSecret, ...]
    notes: tuple[str, ...]
    """What was dropped and why, one sentence each."""


def is_flat(document: Mapping[str, Any]) -> bool:
    """Whether this is the flat form."""
    return "connections" not in document and not _TELLTALE.isdisjoint(document)


def convert_flat(data: Mapping[str, Any]) -> Conversion:
    """Our settings for what a flat file says. Raises ConfigError when it does not say where the Orchestrator is."""
    auth: dict[str, Any] = {"type": "refresh_token", "url": _token_address(_text(data, "OAuthUrl"))}
    auth["client_id"] = _text(data, "ClientId") or "${env:UIPATH_CLIENT_ID}"
    user_key, moved = _user_key(data)
    auth["refresh_token"] = user_key
    connection: dict[str, Any] = {"adapter": "uipath", "url": _base_address(data)}
    for ours, theirs in (("tenant", "TenantName"), ("folder", "DefaultFolder")):
        value = _text(data, theirs)
        if value:
            connection[ours] = value
    connection["auth"] = auth
    return Conversion({"connections": {CONNECTION: connection}}, moved, tuple(_notes(data)))


def _base_address(data: Mapping[str, Any]) -> str:
    """The address the old program called, so that the old login holds for it too.

    On the cloud that is the form without `orchestrator_`, which the gateway still accepts; the newer form belongs to
    the newer identity server, and nobody has shown that it takes these tokens. docs: uipath.md 1.1, 2.1
    """
    url = _text(data, "url").rstrip("/").removesuffix("/odata")
    if not url:
        raise ConfigError(
            "the flat settings have no 'url'; add the Orchestrator's address, such as https://cloud.uipath.com"
        )
    account, tenant = _segment(data, "AccountLogicName"), _segment(data, "TenantName")
    if not account:
        return url  # on-premises the tenant is no part of the address
    if not tenant:
        raise ConfigError("the flat settings have no 'TenantName'; add it")
    below = f"/{account}/{tenant}"
    return url if urlsplit(url).path.removesuffix("/orchestrator_").endswith(below) else url + below


def _token_address(login: str) -> str:
    """The whole address of the token request: files name the login's host, with or without the path."""
    login = (login or DEFAULT_LOGIN).rstrip("/")
    return login + TOKEN_PATH if urlsplit(login).path == "" else login


def _user_key(data: Mapping[str, Any]) -> tuple[str, tuple[MovedSecret, ...]]:
    given = _text(data, "UserKey")
    if has_reference(given):
        return given, ()
    return "${env:UIPATH_USER_KEY}", ((MovedSecret("UserKey", "UIPATH_USER_KEY"),) if given else ())


def _text(data: Mapping[str, Any], key: str) -> str:
    """The value as our settings write it; `$NAME`, the community's own form of a reference, is ours too."""
    text = _stripped(data, key)
    return embeddable(text) if has_reference(text) else escape(text)


def _segment(data: Mapping[str, Any], key: str) -> str:
    text = _stripped(data, key)
    return embeddable(text) if has_reference(text) else quote(text, safe="")


def _stripped(data: Mapping[str, Any], key: str) -> str:
    value = data.get(key)
    return "" if value is None else str(value).strip()


def _notes(data: Mapping[str, Any]) -> list[str]:
    tokens = [key for key in _TOKENS if key in data]
    notes = [f"{', '.join(tokens)}: dropped; tokens are asked for anew and kept in the cache folder"] if tokens else []
    notes += [f"{key}: dropped; {why}" for key, why in _WHY_DROPPED.items() if key in data]
    unknown = [key for key in data if key not in {"url", *_TELLTALE, *_TOKENS, *_WHY_DROPPED}]
    notes += [f"{key}: dropped; it is not one of the flat file's known keys" for key in unknown]
    if not data.get("ClientId"):
        notes.append("ClientId: missing; set the environment variable UIPATH_CLIENT_ID")
    if not data.get("UserKey"):
        notes.append("UserKey: missing; set the environment variable UIPATH_USER_KEY")
    return notes
