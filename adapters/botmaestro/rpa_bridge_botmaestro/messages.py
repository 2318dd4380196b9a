"""Messages: e-mail that BotMaestro sends. docs: botmaestro.md 5"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rpa_bridge.clock import Clock
from rpa_bridge.contract.messages import MessageService
from rpa_bridge.errors import OutcomeUnknownError, RemoteError
from rpa_bridge.helpers.checks import refuse
from rpa_bridge.transport.base import Effect

from .client import Client

MOST_RECIPIENTS = 50
"""In one message. docs: botmaestro.md 1 "Rate limits" """


@dataclass(frozen=True, slots=True)
class Part:
    """Those whom one message is for; the group is with the first."""

    emails: list[str]
    logins: list[str]
    group: str

    @property
    def size(self) -> int:
        """Recipients that count."""
        return len(self.emails) + len(self.logins)


class BotMaestroMessages(MessageService):
    """Messages to addresses, users and a group."""

    def __init__(self, client: Client, clock: Clock) -> None:
        super().__init__("botmaestro", clock)
        self._client = client

    async def send(
        self,
        subject: str,
        body: str,
        *,
        emails: Sequence[str] = (),
        users: Sequence[str] = (),
        group: str | None = None,
        html: bool = False,
    ) -> None:
        """Sends a message, to more than 50 recipients as several; nobody gets it twice.

        Raises OutcomeUnknownError, which says who was written to, when not all of them surely were.
        """
        operation = "messages.send"
        if not all(one.strip() for one in (*emails, *users)):
            raise refuse(operation, "a recipient is empty; leave it out")
        if not (emails or users or group):
            raise refuse(operation, "nobody is named; give emails, users or a group")
        parts = list(_parts(dict.fromkeys(emails), dict.fromkeys(users), group or ""))
        for number, part in enumerate(parts):
            message = {
                "emails": part.emails,
                "logins": part.logins,
                "subject": subject,
                "body": body,
                "type": "HTML" if html else "TEXT",
                "group": part.group,
            }
            try:
                await self._client.tell("POST", "/message", effect=Effect.BLIND, operation=operation, json=message)
            except RemoteError as error:
                if number == 0 and not error.maybe_applied:
                    raise
                raise _partly_sent(error, parts, number) from None


def _parts(emails: Iterable[str], users: Iterable[str], group: str) -> Iterator[Part]:
    """The recipients, at most 50 at once, addresses first; one part with nobody for a group alone."""
    everybody = [(True, one) for one in emails] + [(False, one) for one in users]
    for start in range(0, len(everybody) or 1, MOST_RECIPIENTS):
        few = everybody[start : start + MOST_RECIPIENTS]
        yield Part(
            emails=[one for by_mail, one in few if by_mail],
            logins=[one for by_mail, one in few if not by_mail],
            group="" if start else group,
        )


def _partly_sent(error: RemoteError, parts: Sequence[Part], failed: int) -> OutcomeUnknownError:
    """The error that says who was written to, as counted without repetitions, addresses first."""
    written, total = sum(part.size for part in parts[:failed]), sum(part.size for part in parts)
    told = [f"{_whom(1, written, parts[0].group)} were written to"] if failed else []
    if error.maybe_applied:
        here = parts[failed]
        told.append(f"{_whom(written + 1, written + here.size, here.group)} may have been written to")
    return OutcomeUnknownError(
        f"{error.operation}: of {total} recipients, addresses before users, {' and '.join(told)}, and nobody else; "
        f"write to the others only ({error})",
        status=error.status,
        code=error.code,
        operation=error.operation,
        request_id=error.request_id,
        attempts=error.attempts,
    )


def _whom(first: int, last: int, group: str) -> str:
    people = f"{first} to {last}" if last >= first else ""
    return " and ".join(filter(None, (people, group and f"the group {group!r}")))
