"""What a person should know before relying on a connection to UiPath."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from rpa_bridge.contract.adapter import Finding, LoginStatus
from rpa_bridge.contract.folders import FolderService
from rpa_bridge.errors import AuthError, BridgeError, DeniedError, NotFoundError, ProtocolError, UnavailableError
from rpa_bridge.transport.authorise import Tokens
from rpa_bridge.transport.base import Effect, Request, Response
from rpa_bridge.transport.decode import decode

from . import odata
from .client import Client
from .settings import UiPathSettings
from .wire.settings import LicenseDto, VersionAnswer

LICENCE_ENDS_SOON = timedelta(days=30)
LAST_API_WITH_ALERTS = 17.0
"""docs: uipath.md 3.15"""
NO_SUCH_ITEM, NO_SUCH_FOLDER = "1002", "1100"
"""docs: uipath.md 5.2"""
_API_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Right:
    """What reading a noun takes, and the one cheap request that shows whether it is there."""

    noun: str
    path: str
    scope: str
    params: Mapping[str, str] = field(default_factory=lambda: {"$top": "1"})
    tenant_wide: bool = False


RIGHTS = (  # docs: uipath.md 3.5 to 3.17
    Right("automations", "/odata/Releases", "OR.Execution"),
    Right("jobs", odata.entity("Jobs", 1), "OR.Jobs", params={}),  # docs: unlike the list not limited, uipath.md 5.4
    Right("queues", "/odata/QueueDefinitions", "OR.Queues"),
    Right("assets", "/odata/Assets", "OR.Assets"),
    Right("artifacts", "/odata/Buckets", "OR.Administration"),
    Right("robots", "/odata/Robots", "OR.Robots"),
    Right("machines", "/odata/Machines", "OR.Machines", tenant_wide=True),
    Right("logs", "/odata/RobotLogs", "OR.Monitoring"),
    Right("schedules", "/odata/ProcessSchedules", "OR.Jobs"),
    Right("webhooks", "/odata/Webhooks", "OR.Webhooks", tenant_wide=True),
)
ALERTS = Right("alerts", "/odata/Alerts", "OR.Monitoring", tenant_wide=True)


async def check(
    client: Client,
    tokens: Tokens,
    login_status: Callable[[], Awaitable[LoginStatus | None]],
    folders: FolderService,
    settings: UiPathSettings,
) -> list[Finding]:
    """The server, the log-in, folder and licence, and then each right; without server or log-in there is no more."""
    server, api = await _server(client)
    if not server.ok:
        return [server]
    try:
        await tokens.get()
        licence = await _licence(client)
    except BridgeError as error:
        return [server, Finding(subject="log-in", ok=False, message=str(error))]
    place = await _folder(client, folders, "" if settings.folder is None else str(settings.folder).strip())
    findings = [server, _logged_in(await login_status()), place, licence]
    rights = [one for one in RIGHTS if one.tenant_wide or place.ok]  # without a folder all others fail alike
    if api is None or api <= LAST_API_WITH_ALERTS:
        rights.append(ALERTS)
    for right in rights:
        finding = await _may_read(client, right)
        if finding is not None:
            findings.append(finding)
    return findings


async def _server(client: Client) -> tuple[Finding, float | None]:
    """Whether it answers, and the number of its API. docs: uipath.md 0 and 3.18; nobody needs to log in for that"""
    version = None
    try:
        try:
            request = _unsigned("/api/Status/Version")
            response = await client.transport.send(request)
            version = decode(VersionAnswer, request, response).version
        except NotFoundError:  # docs: 20.10 does not tell
            response = await client.transport.send(_unsigned("/api/Status/Get"))
    except (UnavailableError, ProtocolError) as error:
        return Finding(subject="server", ok=False, message=str(error)), None
    except BridgeError as error:
        return Finding(subject="server", ok=True, message=f"answers, and does not tell its version ({error})"), None
    api = _api_of(response)
    told = f"version {version}" if version else "its version is not told"
    return Finding(subject="server", ok=True, message=f"answers, {told}" + (f", API {api:g}" if api else "")), api


def _unsigned(path: str) -> Request:
    return Request("GET", path, effect=Effect.READ, operation="check.server", signed=False)


def _api_of(response: Response) -> float | None:
    numbers = _API_NUMBER.findall(response.headers.get("api-supported-versions", ""))
    return max(map(float, numbers), default=None)


def _logged_in(status: LoginStatus | None) -> Finding:
    """Who we are, which way, and for how long."""
    if status is None:
        return Finding(subject="log-in", ok=True, message="the platform knows us")
    told = [f"as {status.identity}" + (f", by {status.way}" if status.way else "")]
    if status.scopes:
        told.append(f"scopes {' '.join(status.scopes)}")
    if status.expires_at is None:
        told.append("until when is not known here: the portal shows it")
    else:
        told.append(f"until {status.expires_at:%Y-%m-%d %H:%M} UTC")
    return Finding(subject="log-in", ok=True, message="; ".join(told))


async def _folder(client: Client, folders: FolderService, folder: str) -> Finding:
    if not folder:
        nouns = ", ".join(right.noun for right in RIGHTS if not right.tenant_wide)
        message = f"none is set; set `folder` in the settings: {nouns} need one"
        return Finding(subject="folder", ok=False, message=message)
    try:
        found = await folders.get(folder)
    except NotFoundError:
        return await _unlisted(client, folder)
    except DeniedError as error:
        message = f"{folder!r} cannot be looked at without the scope OR.Folders or OR.Folders.Read ({error})"
        return Finding(subject="folder", ok=True, message=message)
    except BridgeError as error:
        return Finding(subject="folder", ok=False, message=str(error))
    return Finding(subject="folder", ok=True, message=f"{found.path} (id {found.id})")


async def _unlisted(client: Client, folder: str) -> Finding:
    """A folder that no list shows may be there: personal workspaces are. docs: uipath.md 3.1"""
    try:
        await _read(client, RIGHTS[0], "check.folder")
    except NotFoundError as error:
        if error.code == NO_SUCH_FOLDER:
            return Finding(subject="folder", ok=False, message=str(error))
    except BridgeError as error:
        return Finding(subject="folder", ok=True, message=f"{folder!r} is in no list; whether it is there: {error}")
    return Finding(subject="folder", ok=True, message=f"{folder!r} is there, though no list of folders has it")


async def _licence(client: Client) -> Finding:
    """Whether the tenant's licence holds. Raises AuthError: of all requests that need a log-in it is the first."""
    path, operation = f"/odata/Settings/{odata.ACTION}GetLicense", "check.licence"
    try:
        answer = await client.for_tenant.call("GET", path, effect=Effect.READ, operation=operation)
        ok, message = _told(LicenseDto.of(answer, operation), client.clock.now())
    except AuthError:
        raise
    except DeniedError:
        ok, message = True, "cannot be read without the scope OR.Settings or OR.Settings.Read; all else works without"
    except NotFoundError:
        ok, message = True, "this server does not tell"
    except BridgeError as error:
        ok, message = False, str(error)
    return Finding(subject="licence", ok=ok, message=message)


def _told(licence: LicenseDto, now: datetime) -> tuple[bool, str]:
    ends, grace = _moment(licence.ExpireDate), _moment(licence.GracePeriodEndDate)
    if licence.IsRegistered is False:
        return False, "the tenant has none; allocate one to it"
    if licence.IsExpired or (ends is not None and ends <= now):
        when = f" on {ends:%Y-%m-%d}" if ends else ""
        mercy = f"; robots work until {grace:%Y-%m-%d}" if grace and grace > now else ""
        return False, f"it expired{when}{mercy}; renew it"
    if ends is None:
        return True, "it holds; until when is not told"
    if ends - now <= LICENCE_ENDS_SOON:
        return False, f"it ends on {ends:%Y-%m-%d}; renew it"
    return True, f"it holds until {ends:%Y-%m-%d}"


def _moment(seconds: int | None) -> datetime | None:
    """docs: uipath.md 3.18: Unix seconds; 0 is no date"""
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds else None
    except (OverflowError, ValueError, OSError):
        return None


async def _may_read(client: Client, right: Right) -> Finding | None:
    """Whether the noun may be read; None for alerts on a server that has none."""
    where = "tenant" if right.tenant_wide else "folder"
    try:
        await _read(client, right, f"check.{right.noun}")
    except NotFoundError as error:
        if right is ALERTS:
            return None
        if error.code != NO_SUCH_ITEM:
            return Finding(subject=right.noun, ok=False, message=str(error))
    except DeniedError as error:
        message = f"{error} (scope {right.scope} or {right.scope}.Read, and the {where}'s role)"
        return Finding(subject=right.noun, ok=False, message=message)
    except BridgeError as error:
        return Finding(subject=right.noun, ok=False, message=str(error))
    return Finding(subject=right.noun, ok=True, message=f"may be read in this {where}")


async def _read(client: Client, right: Right, operation: str) -> None:
    scoped = client.for_tenant if right.tenant_wide else client
    await scoped.call("GET", right.path, effect=Effect.READ, operation=operation, params=right.params)
