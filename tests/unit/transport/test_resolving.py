"""Where a server that the platform has named may be."""

from __future__ import annotations

import socket

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from rpa_bridge.errors import ConfigError, Delivery, RemoteError
from rpa_bridge.transport import connections
from rpa_bridge.transport.base import Effect, Request
from rpa_bridge.transport.http import Http
from rpa_bridge.transport.http_failures import PrivateAddressError
from rpa_bridge.transport.options import HttpOptions
from rpa_bridge.transport.resolving import PublicResolver

CLOUD, STORAGE = "cloud.uipath.com", "acme.blob.core.windows.net"


class Names(AbstractResolver):
    """Knows these names."""

    def __init__(self, **names: list[str]) -> None:
        self._names = {name.replace("_", "."): addresses for name, addresses in names.items()}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host=one, port=port, family=family, proto=0, flags=0)
            for one in self._names[host]
        ]

    async def close(self) -> None:
        return None


def names(storage: list[str], platform: list[str]) -> Names:
    """Where the two are."""
    return Names(**{CLOUD.replace(".", "_"): platform, STORAGE.replace(".", "_"): storage})


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "192.168.7.7",
        "172.16.0.1",
        "169.254.169.254",
        "::1",
        "fd00::7",
        "fe80::1%eth0",
    ],
)
async def test_a_name_that_leads_into_a_private_network_is_refused(address: str) -> None:
    resolver = PublicResolver(CLOUD, names([address], ["104.18.1.1"]))

    with pytest.raises(PrivateAddressError):
        await resolver.resolve(STORAGE)


async def test_one_private_address_among_public_ones_is_enough() -> None:
    resolver = PublicResolver(CLOUD, names(["20.60.1.1", "10.0.0.7"], ["104.18.1.1"]))

    with pytest.raises(PrivateAddressError):
        await resolver.resolve(STORAGE)


async def test_public_addresses_are_spoken_to() -> None:
    resolver = PublicResolver(CLOUD, names(["20.60.1.1", "2603:1030:1::1"], ["104.18.1.1"]))

    assert [one["host"] for one in await resolver.resolve(STORAGE)] == ["20.60.1.1", "2603:1030:1::1"]


@pytest.mark.parametrize("platform", ["10.0.0.1", CLOUD])
async def test_where_the_platform_is_private_itself_its_storage_may_be(platform: str) -> None:
    resolver = PublicResolver(platform, names(["10.0.0.7"], ["10.0.0.1"]))

    assert await resolver.resolve(STORAGE)


async def test_nothing_is_sent_there_and_the_error_names_the_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    inner = names(["10.0.0.7"], ["104.18.1.1"])
    monkeypatch.setattr(connections, "PublicResolver", lambda platform: PublicResolver(platform, inner))
    http = Http(f"https://{CLOUD}/acme/default", HttpOptions())
    request = Request(
        "GET", f"https://{STORAGE}/file?sig=x", effect=Effect.READ, operation="t", signed=False, foreign=True
    )

    with pytest.raises((RemoteError, ConfigError), match="storage_hosts") as caught:
        await http.send(request)

    assert getattr(caught.value, "delivery", Delivery.NOT_SENT) is Delivery.NOT_SENT
    assert "sig=x" not in str(caught.value)
    await http.aclose()
