"""The few fields of an event that the inbox needs, read without building the rest."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any, Final, NoReturn

import msgspec

from trueup.inbox.types import Kind, Reason

LONGEST: Final = 512
"""No id or type of Stripe's is near this long; longer ones would not fit an index."""
LATEST: Final = 253_402_214_400
"""The last day of the year 9999, in Unix seconds."""

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_ACCOUNT: Final = re.compile(r"[A-Za-z0-9_]{1,128}\Z")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class _Object(msgspec.Struct, gc=False):
    id: Any = None
    object: Any = None
    customer: Any = None


class _Data(msgspec.Struct, gc=False):
    object: _Object | None = None


class _Fast(msgspec.Struct, gc=False):
    """The shape of nearly every event; anything else takes the tolerant way."""

    id: str
    type: str
    created: int
    data: _Data
    livemode: bool | None = None
    object: str | None = None
    account: str | None = None
    api_version: str | None = None


class Envelope(msgspec.Struct, frozen=True, gc=False):
    """What is stored beside the body.

    ``created`` is in Unix seconds; ``account`` is Stripe's id of a connected account, or None.
    """

    event_id: str
    kind: Kind
    type: str
    created: int
    livemode: bool | None
    account: str | None
    api_version: str | None
    object_type: str | None
    object_id: str | None
    customer: str | None
    """The Stripe customer the object names; the object's own id for a customer."""


class Unusable(Exception):
    """A signed body that is not an event we can store under its key."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


_fast: Final = msgspec.json.Decoder(_Fast)


def read(body: bytes) -> Envelope:
    """The envelope of a snapshot or thin event.

    Raises ``Unusable`` with the reason, and nothing else, whatever the bytes are.
    """
    try:
        fast = _fast.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _tolerant(body)
    if fast.object == "v2.core.event" or fast.data.object is None:
        return _tolerant(body)
    told = fast.data.object
    return _checked(
        Envelope(
            fast.id,
            Kind.SNAPSHOT,
            fast.type,
            fast.created,
            fast.livemode,
            None if fast.account is None else _account(fast.account),
            _text(fast.api_version),
            _text(told.object),
            _text(told.id),
            _customer(told.object, told.id, told.customer),
        )
    )


def _tolerant(body: bytes) -> Envelope:
    wire = _loosely(body)
    event_id, event_type, created = wire.get("id"), wire.get("type"), wire.get("created")
    if not isinstance(event_id, str) or not event_id:
        raise Unusable(Reason.NO_ID, "The body has no id.")
    if not isinstance(event_type, str) or not event_type:
        raise Unusable(Reason.UNREADABLE, "The body has no type.")
    thin = wire.get("object") == "v2.core.event"
    livemode, context = wire.get("livemode"), wire.get("context")
    inner = _inner(wire.get("data"))
    object_type, object_id = _named(wire.get("related_object"), "type") if thin else _named(inner, "object")
    return _checked(
        Envelope(
            event_id=event_id,
            kind=Kind.THIN if thin else Kind.SNAPSHOT,
            type=event_type,
            created=_seconds(created),
            livemode=livemode if isinstance(livemode, bool) else None,
            account=_account(context.rpartition("/")[2] if isinstance(context, str) else None)
            if thin
            else _account(wire.get("account")),
            api_version=_text(wire.get("api_version")),
            object_type=object_type,
            object_id=object_id,
            customer=_customer(object_type, object_id, inner.get("customer") if isinstance(inner, dict) else None),
        )
    )


def _loosely(body: bytes) -> dict[str, Any]:
    """The object in the body by the standard library's parser, which takes lone surrogates and big numbers.

    The fast one refuses them.
    """
    try:
        value = json.loads(body.decode(), parse_constant=_refuse_constant)
    except RecursionError:
        raise Unusable(Reason.UNREADABLE, "The body is nested too deeply.") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise Unusable(Reason.NOT_JSON, type(error).__name__) from None
    except ValueError:
        # Python's own limit on the digits of an integer.
        raise Unusable(Reason.UNREADABLE, "A number in the body is too long.") from None
    if not isinstance(value, dict):
        raise Unusable(Reason.NOT_JSON, "The body is no JSON object.")
    return value


def _refuse_constant(name: str) -> NoReturn:
    """NaN and Infinity are Python's and not JSON's."""
    raise Unusable(Reason.NOT_JSON, name)


def _inner(data: Any) -> Any:
    return data.get("object") if isinstance(data, dict) else None


def _named(value: Any, type_key: str) -> tuple[str | None, str | None]:
    return (_text(value.get(type_key)), _text(value.get("id"))) if isinstance(value, dict) else (None, None)


def _customer(object_type: Any, object_id: Any, customer: Any) -> str | None:
    if object_type == "customer":
        return _text(object_id)
    return _text(customer.get("id") if isinstance(customer, dict) else customer)


def _text(value: Any) -> str | None:
    """The text, or None for what no column takes: these columns describe, so an odd value must not cost the event."""
    if isinstance(value, str) and 0 < len(value) <= LONGEST and "\x00" not in value and _encodable(value):
        return value
    return None


def _encodable(text: str) -> bool:
    """Whether it has no lone surrogate, which JSON can write and UTF-8 cannot."""
    return text.isascii() or _SURROGATE.search(text) is None


def _account(value: Any) -> str | None:
    """The connected account.

    It is part of the key and becomes a row of its own, so an odd one is refused instead of dropped.
    """
    if value is None or value == "":
        return None
    if isinstance(value, str) and _ACCOUNT.match(value):
        return value
    raise Unusable(Reason.UNREADABLE, "The account is not an id of Stripe's.")


def _seconds(created: Any) -> int:
    if isinstance(created, int) and not isinstance(created, bool):
        return created
    if isinstance(created, str):
        try:
            moment = datetime.fromisoformat(created)
        except ValueError:
            moment = None
        if moment is not None and moment.tzinfo is not None:
            return int((moment - EPOCH).total_seconds())
    raise Unusable(Reason.UNREADABLE, "The body has no usable created.")


def _checked(envelope: Envelope) -> Envelope:
    if not envelope.event_id:
        raise Unusable(Reason.NO_ID, "The body has no id.")
    if not 0 <= envelope.created < LATEST:
        raise Unusable(Reason.UNREADABLE, "The time in created cannot be.")
    if len(envelope.event_id) > LONGEST or len(envelope.type) > LONGEST:
        raise Unusable(Reason.UNREADABLE, "The id or type is too long.")
    if not _encodable(envelope.event_id) or not _encodable(envelope.type):
        raise Unusable(Reason.UNREADABLE, "The id or type is not text.")
    return envelope
