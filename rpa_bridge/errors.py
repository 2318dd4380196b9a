"""Everything rpa_bridge raises on purpose.

BridgeError
├── ConfigError              settings are wrong; nothing was sent
├── AdapterLoadError         not installed · two claim the name · wrong contract
├── UnsupportedError         this platform cannot do that; nothing was sent
├── WaitTimeoutError         it did not happen in the time given; it may still
├── MigrationError           a move stopped; the journal says where
├── BusinessError            raised by *your* code in a lease: the item itself is at fault
└── RemoteError              the platform answered with a failure, or failed to answer
    ├── AuthError            who are you                      (401, bad key)
    ├── DeniedError          you may not                      (403)
    ├── NotFoundError        no such thing                    (404)
    ├── ConflictError        already so · not in this state   (409)
    ├── InvalidError         the input was refused            (400, 413, 422, or by us before sending)
    ├── RateLimitedError     slow down                        retryable (429)
    ├── UnavailableError     down, timed out, cut off         retryable (5xx)
    ├── OutcomeUnknownError  it may have happened; look before you repeat
    └── ProtocolError        answered in a shape we do not know
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar


class Delivery(StrEnum):
    """What a failure tells about the request: was it carried out?"""

    NOT_SENT = "not_sent"
    """It never left: safe to send."""
    REFUSED = "refused"
    """The platform decided against it before doing anything."""
    MAYBE = "maybe"
    """It left, and no trustworthy answer came back."""


class BridgeError(Exception):
    """Base of every deliberate error. Its text is one sentence that names the mend."""


class ConfigError(BridgeError):
    """Settings are wrong; nothing was sent."""


class AdapterLoadError(BridgeError):
    """An adapter cannot be used: missing, claimed twice, or of another contract."""


class UnsupportedError(BridgeError):
    """The platform cannot do this; nothing was sent."""

    def __init__(self, feature: str, *, adapter: str, hint: str = "") -> None:
        super().__init__(f"{adapter} does not support {feature}" + (f"; {hint}" if hint else ""))
        self.feature = feature
        self.adapter = adapter


class WaitTimeoutError(BridgeError):
    """What was waited for did not happen in time; it may still happen."""


class MigrationError(BridgeError):
    """A migration stopped before its end; the journal says where."""


class BusinessError(BridgeError):
    """Raise it inside `queues.lease` when the item itself is at fault: the item fails, without a retry."""


class RemoteError(BridgeError):
    """The platform answered with a failure, or failed to answer.

    It keeps no request, header or body: whatever reaches a log through it is safe to show.
    """

    retryable: bool = False
    """Whether trying again later may help, if the request's effect allows it."""
    default_delivery: ClassVar[Delivery] = Delivery.REFUSED

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        operation: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        delivery: Delivery | None = None,
        attempts: int = 1,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.operation = operation
        self.request_id = request_id
        self.retry_after = retry_after
        """Seconds the platform asked us to wait; None when it did not say."""
        self.delivery = delivery or self.default_delivery
        self.attempts = attempts
        self.uncertain_before = False
        """Whether an attempt before the last one may have been carried out: then what is refused may be our own."""

    @property
    def maybe_applied(self) -> bool:
        """Whether the platform may have carried the request out all the same."""
        return self.delivery is Delivery.MAYBE


class AuthError(RemoteError):
    """The platform does not know who we are: wrong key or secret, or a login that was withdrawn."""


class DeniedError(RemoteError):
    """The platform knows us and says no: a scope, role or folder permission is missing."""


class NotFoundError(RemoteError):
    """There is no such thing, or this identity may not see it."""


class ConflictError(RemoteError):
    """It is already so, or not in a state that allows this."""


class InvalidError(RemoteError):
    """The input was refused: by the platform, or by us before anything was sent."""


class RateLimitedError(RemoteError):
    """The platform asks us to slow down."""

    retryable = True


class UnavailableError(RemoteError):
    """Down, timed out, or cut off."""

    retryable = True
    default_delivery = Delivery.MAYBE


class OutcomeUnknownError(RemoteError):
    """It may have happened. Look before you repeat it."""

    default_delivery = Delivery.MAYBE


class ProtocolError(RemoteError):
    """The platform answered in a shape we do not know."""

    default_delivery = Delivery.MAYBE
