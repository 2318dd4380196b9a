"""From the settings to what logs in and signs: which way it is, and what tells its log-in from every other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from pydantic import SecretStr

from rpa_bridge.auth.fixed import FixedToken
from rpa_bridge.auth.tokens import Token, TokenCache, TokenKey, TokenSource
from rpa_bridge.transport.base import Transport
from rpa_bridge.transport.stack import Wiring, cached, exchange, login, signed
from rpa_bridge_uipath.settings import (
    AskedFor,
    AuthorizationCode,
    ClientCredentials,
    Password,
    PersonalAccessToken,
    RefreshToken,
    UiPathSettings,
)

from .authorization_code import AuthorizationCodeLogin
from .client_credentials import ClientCredentialsLogin
from .exchange import Exchange
from .password import PasswordLogin
from .pat import explain_with_pat
from .user_key import UserKeyLogin

Show = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Connected:
    """What all services send through, and whose tokens sign it."""

    tokens: TokenCache | FixedToken
    transport: Transport
    log_in: Callable[[Show], Awaitable[None]] | None = None
    """How a person logs in, where one does."""


def connected(settings: UiPathSettings, wiring: Wiring) -> Connected:
    """One connection, logging in the way that its settings name; nothing is sent."""
    shared, auth, connection = exchange(wiring), settings.auth, wiring.connection
    if isinstance(auth, PersonalAccessToken):
        fixed = FixedToken(auth.token, wiring.clock)
        return Connected(fixed, signed(shared, replace(wiring, explain=explain_with_pat), fixed, sign))
    source = source_of(settings, auth, Exchange(login(shared, wiring), wiring.clock), connection)
    tokens = cached(wiring, source, token_key(settings, auth, connection))
    log_in = partial(_log_in, source, tokens) if isinstance(source, AuthorizationCodeLogin) else None
    return Connected(tokens, signed(shared, wiring, tokens, sign), log_in)


async def _log_in(source: AuthorizationCodeLogin, tokens: TokenCache, show: Show) -> None:
    await tokens.adopt(await source.log_in(show))


def sign(token: Token) -> Mapping[str, str]:
    """The header that proves who we are. docs: uipath.md 1.2"""
    return {"Authorization": f"Bearer {token.value.get_secret_value()}"}


def source_of(settings: UiPathSettings, auth: AskedFor, exchange: Exchange, connection: str) -> TokenSource:
    """What asks for tokens."""
    url = token_url(settings, auth)
    match auth:
        case ClientCredentials():
            return ClientCredentialsLogin(auth, url, exchange)
        case RefreshToken():
            return UserKeyLogin(auth, settings.tenant, exchange)
        case Password():
            return PasswordLogin(auth, settings.tenant or "", url, exchange)
        case AuthorizationCode():
            authorize_url = f"{settings.identity}/connect/authorize"
            return AuthorizationCodeLogin(auth, authorize_url, url, exchange, connection)


def token_url(settings: UiPathSettings, auth: AskedFor) -> str:
    """Where tokens are asked for. docs: uipath.md 2.1, 2.2 and 2.4"""
    match auth:
        case RefreshToken():
            return auth.url
        case Password():
            return f"{settings.url}/api/Account/Authenticate"
        case ClientCredentials() | AuthorizationCode():
            return f"{settings.identity}/connect/token"


def token_key(settings: UiPathSettings, auth: AskedFor, connection: str) -> TokenKey:
    """What tells this log-in from every other in a shared cache. A person logs in to one connection alone."""
    key = partial(
        TokenKey,
        adapter="uipath",
        token_url=token_url(settings, auth),
        tenant=settings.tenant or "",
        organization=settings.url,
        grant_type=auth.type,
    )
    match auth:
        case ClientCredentials():
            return key(secret=auth.client_secret, client_id=auth.client_id, scopes=tuple(auth.scope.split()))
        case RefreshToken():
            return key(secret=auth.refresh_token, client_id=auth.client_id)
        case Password():
            return key(secret=auth.password, user=auth.username)
        case AuthorizationCode():
            return key(
                secret=auth.client_secret or SecretStr(""),
                client_id=auth.client_id,
                scopes=tuple(auth.scope.split()),
                extra={"connection": connection},
            )
