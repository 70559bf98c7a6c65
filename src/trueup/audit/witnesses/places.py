"""Which witnesses there are: the one beside the log, and those that the operator named."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from trueup.audit.notes.keys import VerifierKey, parse_key
from trueup.audit.witnesses.state import Witness
from trueup.kernel.records import Record
from trueup.runtime import configuration
from trueup.runtime.outside import witnesses

BUILT_IN: Final = "built-in witness"
WITNESS: Final = "witness"
"""What kind of place it is; only the second one is outside."""


class Elsewhere(Record, frozen=True):
    """A witness that somebody else runs, or we on another host."""

    key: VerifierKey
    url: str
    """What ``/add-checkpoint`` comes behind."""


@cache
def _in_folder(folder: Path) -> Witness:
    return Witness(folder)


def built_in() -> Witness:
    """The witness of this home; its folder and key are made at the first use."""
    return _in_folder(configuration.current().home / "witness")


def elsewhere() -> tuple[Elsewhere, ...]:
    """The witnesses of ``TRUEUP_AUDIT_WITNESSES``."""
    return tuple(
        Elsewhere(key=parse_key(key), url=url.rstrip("/"))
        for key, url in witnesses(configuration.current().audit_witnesses)
    )
