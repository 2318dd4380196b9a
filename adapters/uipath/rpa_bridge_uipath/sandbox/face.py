"""The face itself: its parts put together."""

from __future__ import annotations

import re
from typing import Any

from aiohttp import web

from rpa_bridge.sandbox.face import Face
from rpa_bridge.sandbox.world import World

from .additions import Additions, Admission
from .alerts import Alerts
from .asset_rows import bear_assets
from .assets import Assets
from .attachments import Attachments
from .bucket_files import BucketFiles
from .buckets import Buckets
from .connections import main_connection
from .credential_stores import credential_store_routes
from .editions import is_api, portal_page
from .errors import unknown_path
from .folders import Folders
from .gate import Gate
from .identity import Identity
from .item_bulks import ItemBulks
from .items import Items
from .job_triggers import JobTriggers
from .jobs import Jobs
from .logs import Logs
from .machines import Machines
from .packages import Packages
from .queues import Queues
from .releases import Releases
from .robot_assets import RobotAssets
from .robots import Robots
from .routes import below_all_bases
from .runs import Runs
from .schedules import Schedules
from .sessions import Floor, Sessions
from .settings import Settings
from .starts import Starts
from .state import State
from .status import status_routes
from .storage import Storage
from .tokens import Tokens
from .transactions import Transactions
from .webhooks import Webhooks
from .work import Work


class UiPathFace(Face):
    """Answers as Orchestrator does."""

    name = "uipath"
    title = "UiPath Orchestrator"
    private_paths = (*Face.private_paths, "*/odata/assets*", "*/odata/webhooks*")
    private_values = re.compile(rf"{Face.private_values.pattern}|(?<=robotid=)(?:'|%27)[^,)]+")
    """A robot's key opens secrets. docs: uipath.md 3.11, GetRobotAsset"""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._state = State(world)
        self._storage = Storage(world, self._state, lambda: self.side_origin)
        self._packages = Packages(world, self._state, self._storage)
        self._buckets = Buckets(world, self._state, self._storage)
        bear_assets(world, self._state)
        self._packages.bear()
        self._buckets.bear()
        Schedules(world, self._state).bear()
        self._work = Work(world, self._state)
        self._tokens = Tokens(world, self._state)

    def routes(self) -> list[web.RouteDef]:
        identity = Identity(self.world, self._state, self._tokens)
        attachments = Attachments(self.world, self._state, self._storage)
        runs = Runs(self.world, self._state, attachments)
        floor = Floor(self.world, self._state, runs)
        admission = Admission(self.world, self._work)
        nouns = (
            Folders(self._state),
            Releases(self._state, self._packages),
            self._packages,
            Jobs(self.world, self._state, runs, Starts(self.world, self._state, attachments)),
            JobTriggers(self.world, self._state, runs),
            Queues(self.world, self._state, self._work),
            Additions(self.world, self._state, self._work, admission),
            Transactions(self.world, self._state, self._work, admission),
            Items(self.world, self._state, self._work),
            ItemBulks(self._work),
            Assets(self.world, self._state),
            RobotAssets(self.world, self._state),
            Robots(self._state),
            Sessions(self._state, floor),
            Machines(self._state, floor),
            Logs(self.world, self._state, runs),
            Alerts(self.world, self._state),
            Schedules(self.world, self._state),
            Webhooks(self.world, self._state),
            Settings(self.world, self._state),
            self._buckets,
            BucketFiles(self.world, self._buckets, self._storage),
            attachments,
        )
        operations = [route for noun in nouns for route in noun.routes()]
        operations += credential_store_routes() + status_routes()
        return below_all_bases(operations, Gate(self.world, self._state, self._tokens), identity)

    def side_routes(self) -> list[web.RouteDef]:
        return self._storage.routes()

    def connections(self, origin: str) -> dict[str, dict[str, Any]]:
        return {self.name: main_connection(origin)}

    def dump(self) -> dict[str, Any]:
        return self._state.dump()

    def load(self, state: dict[str, Any]) -> None:
        self._state.load(state)
        self._work.rebuild()

    def not_found(self, request: web.Request) -> web.StreamResponse:
        """Below an API's address a 404; elsewhere the portal's page, with a 200. docs: uipath.md 1.1"""
        if is_api(request.path, self.world):
            return unknown_path(request.method, request.path).response()
        return portal_page()
