"""Names that a platform gives us, turned into addresses, and looked at right before one is connected to.

A name may lead anywhere by the time it is used. One that the platform named, and not the settings, must not lead into a
private network, to this machine or to a cloud's own services, unless the platform is there itself.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from .http_failures import PrivateAddressError


class PublicResolver(AbstractResolver):
    """Raises PrivateAddressError for a name that leads to an address which is not public."""

    def __init__(self, platform: str, inner: AbstractResolver | None = None) -> None:
        """`platform` is the host of the connection's own address."""
        self._platform, self._inner = platform, inner or aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        if _all_public(one["host"] for one in found) or await self._is_platform_private(family):
            return found
        raise PrivateAddressError

    async def close(self) -> None:
        await self._inner.close()

    async def _is_platform_private(self, family: socket.AddressFamily) -> bool:
        try:
            return not _all_public([self._platform])
        except ValueError:  # it is a name, and no address
            found = await self._inner.resolve(self._platform, 0, family)
            return not _all_public(one["host"] for one in found)


def _all_public(addresses: Iterable[str]) -> bool:
    return all(ipaddress.ip_address(one.partition("%")[0]).is_global for one in addresses)
