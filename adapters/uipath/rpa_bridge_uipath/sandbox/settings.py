"""Settings and licence of the tenant, to be read. docs: uipath.md 3.18"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from aiohttp import web

from rpa_bridge.sandbox.world import World

from .entities import Entity, Row, enums, members
from .errors import not_found
from .gate import Call, Route, Scoped
from .odata import listed, number_parameter
from .state import State
from .times import to_wire

SCOPE = "OR.Settings"
STATS_SCOPE = "OR.Monitoring"
ACTION = "UiPath.Server.Configuration.OData."
VALUES = {"Abp.Net.Mail.DefaultFromAddress": "rpa@acme.example", "Upload.Queues.MaxNumberOfItems": "15000"}
LICENSED_UNTIL = datetime(2040, 1, 1, tzinfo=UTC)
"""Whoever wants an expired licence sets the sandbox's clock."""
GRACE = timedelta(days=30)
ALLOWED = {"Unattended": 10, "NonProduction": 2, "Attended": 0}
STATS_DAYS = 7

ENTITY = Entity("Settings", members(text="Name Value Id") | enums(Scope=("Application", "Tenant", "User", "All")))


class Settings:
    """The settings of the tenant; no header wanted."""

    def __init__(self, world: World, state: State) -> None:
        self._world, self._state = world, state

    def routes(self) -> list[Route]:
        """Its operations."""
        never = Scoped.NEVER
        return [
            Route("GET", "/odata/Settings", self.find, SCOPE, never),
            Route("GET", "/odata/Settings('{name}')", self.get, SCOPE, never),
            Route("GET", f"/odata/Settings/{ACTION}GetLicense", self.license, SCOPE, never),
            Route("GET", "/api/Stats/GetLicenseStats", self.license_stats, STATS_SCOPE, never),
        ]

    async def find(self, call: Call) -> web.Response:
        rows = [{"Name": name, "Value": value, "Scope": "Tenant", "Id": name} for name, value in VALUES.items()]
        return web.json_response(listed(call.request.query.items(), ENTITY, rows))

    async def get(self, call: Call) -> web.Response:
        name = call.request.match_info["name"]
        if name not in VALUES:
            raise not_found(f"The setting {name}")
        return web.json_response({"value": VALUES[name]})

    async def license(self, _: Call) -> web.Response:
        """Dates are Unix seconds, unlike everywhere else. docs: uipath.md 3.18"""
        row: Row = {
            "Id": 1,
            "ExpireDate": int(LICENSED_UNTIL.timestamp()),
            "GracePeriodEndDate": int((LICENSED_UNTIL + GRACE).timestamp()),
            "GracePeriod": GRACE.days,
            "Allowed": ALLOWED,
            "Used": self._used(),
            "IsRegistered": True,
            "IsExpired": self._world.clock.now() > LICENSED_UNTIL,
            "IsCommunity": False,
            "IsProOrEnterprise": True,
            "SubscriptionPlan": "ENTERPRISE",
            "UserLicensingEnabled": True,
        }
        return web.json_response(row)

    async def license_stats(self, call: Call) -> web.Response:
        """What was in use on each of the last days; members in camelCase."""
        days = number_parameter(call.request.query, "days")
        now, used = self._world.clock.now(), self._used()
        rows = [
            {"robotType": kind, "count": count, "timestamp": to_wire(now - timedelta(days=ago))}
            for ago in range(STATS_DAYS if days is None else days)
            for kind, count in used.items()
        ]
        return web.json_response(rows)

    def _used(self) -> dict[str, int]:
        return {kind: len(self._state.robots) if kind == "Unattended" else 0 for kind in ALLOWED}
