"""What aiohttp raises, as our errors: one table. The client itself is known to `http` and `connections`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import aiohttp

from rpa_bridge.errors import BridgeError, ConfigError, Delivery, ProtocolError, UnavailableError

from .base import Request


class StaleConnectionsError(aiohttp.ClientConnectionError):
    """No connection could be used: each was closed, or had something on it that nobody had asked for."""


class PrivateAddressError(aiohttp.ClientConnectionError):
    """A name that the platform gave leads into a private network."""


def translate(error: Exception, limit: float = 0.0) -> BridgeError:
    """Our error for one of the library's; its text never repeats what was sent or received."""
    for kinds, make in _TABLE:
        if isinstance(error, kinds):
            return make(limit)
    return UnavailableError(f"the connection to {{host}} failed ({type(error).__name__}); try again later")


def mapped_exceptions() -> Iterator[type[BaseException]]:
    """Every exception of the library that the table names, for the test that it is whole."""
    for kinds, _ in _TABLE:
        yield from kinds


Make = Callable[[float], BridgeError]
"""Makes the error; the argument is the attempt's time limit in seconds."""


def _not_sent(sentence: str) -> Make:
    return lambda _limit: UnavailableError(sentence, delivery=Delivery.NOT_SENT)


def _maybe(sentence: str) -> Make:
    return lambda limit: UnavailableError(sentence.replace("{limit}", f"{limit:g}"), delivery=Delivery.MAYBE)


def _protocol(sentence: str) -> Make:
    return lambda _limit: ProtocolError(sentence)


def _settings(sentence: str) -> Make:
    return lambda _limit: ConfigError(sentence)


_TABLE: tuple[tuple[tuple[type[BaseException], ...], Make], ...] = (
    (
        (aiohttp.ClientConnectorCertificateError, aiohttp.ServerFingerprintMismatch),
        _settings("the certificate of {host} is not trusted; set http.ca_file to the authority that signed it"),
    ),
    ((aiohttp.ClientSSLError,), _not_sent("no TLS connection to {host}; does it speak https on that port?")),
    ((aiohttp.ClientConnectorDNSError,), _not_sent("the name {host} is not known; check the address in the settings")),
    (
        (aiohttp.ClientProxyConnectionError, aiohttp.ClientHttpProxyError),
        _not_sent("the proxy of http.proxy refused; check it in the settings"),
    ),
    ((aiohttp.ClientConnectorError,), _not_sent("{host} does not accept connections; is it running and reachable?")),
    (
        (PrivateAddressError,),
        _not_sent(
            "the platform names {host}, which leads into a private network; if it is your own storage, add it to "
            "storage_hosts in the settings"
        ),
    ),
    (
        (StaleConnectionsError,),
        _not_sent("no connection to {host} stays usable; is something in between that cuts them?"),
    ),
    ((aiohttp.ConnectionTimeoutError,), _not_sent("{host} did not accept a connection in time; is it reachable?")),
    (
        (
            aiohttp.ServerDisconnectedError,
            aiohttp.ClientConnectionResetError,
            aiohttp.ClientOSError,
            aiohttp.ClientPayloadError,
        ),
        _maybe("{host} cut the connection before its answer was complete"),
    ),
    ((aiohttp.ServerTimeoutError, TimeoutError), _maybe("{host} did not answer within {limit} seconds")),
    ((aiohttp.ClientConnectionError,), _maybe("the connection to {host} failed")),
    (
        (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError, aiohttp.RedirectClientError),
        _settings("the address of {host} cannot be used; check it in the settings"),
    ),
    ((aiohttp.ClientResponseError,), _protocol("{host} does not answer in HTTP that we understand")),
    ((aiohttp.ClientError, ValueError), _protocol("the exchange with {host} broke off")),
    ((OSError,), _maybe("the connection to {host} failed")),
)


def addressed(error: BridgeError, request: Request, url: str) -> BridgeError:
    """The error with the host's name in its text, and with the operation."""
    parts = urlsplit(url)
    text = str(error).replace("{host}", f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname))
    if isinstance(error, ConfigError):
        return ConfigError(text)
    if isinstance(error, UnavailableError):
        return UnavailableError(text, operation=request.operation, delivery=error.delivery)
    return ProtocolError(text, operation=request.operation)
