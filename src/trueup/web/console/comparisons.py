"""Comparisons with Stripe as lines of a list: over what, how far, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from trueup.kernel.records import Record
from trueup.mirror.reconcile import service as reconcile
from trueup.mirror.reconcile.types import Kind, Run, Status
from trueup.web.console import formats
from trueup.web.console.words import PHASES, Label, differing, type_name

TYPES_NAMED: Final = 3
TEST_CLOCK: Final = "test_helpers.test_clock"


class Line(Record, frozen=True):
    """One run.

    ``scope`` is what it compares, and ``scope_whole`` the same without anything left out; ``outcome`` is what it found.
    ``share`` is how much of its lists was compared, in percent; None while nobody can tell.
    """

    run: Run
    running: bool
    phase: Label
    share: int | None
    scope: str
    scope_whole: str
    outcome: str


def lines(runs: Sequence[Run]) -> list[Line]:
    """Runs with the words for them."""
    return [
        Line(
            run=run,
            running=run.status is Status.RUNNING,
            phase=PHASES[run.phase],
            share=_share(run),
            scope=_scope(run, named=TYPES_NAMED),
            scope_whole=_scope(run, named=len(run.types)),
            outcome=_outcome(run),
        )
        for run in runs
    ]


def _share(run: Run) -> int | None:
    expected = reconcile.expected(run.id) if run.status is Status.RUNNING else None
    return None if not expected else min(99, 100 * run.counts.objects // expected)


def _scope(run: Run, *, named: int) -> str:
    if run.customers is not None:
        number = len(run.customers)
        return ngettext("%(n)s customer", "%(n)s customers", number) % {"n": formats.number(number)}
    if run.whole:
        return _("everything")
    # Test clocks are read with every list, to find what lives by them; nobody asked for them.
    types = [one for one in run.types if one != TEST_CLOCK or len(run.types) == 1]
    told = ", ".join(type_name(one) for one in types[:named])
    left = len(types) - named
    return told if left <= 0 else _("%(types)s and %(n)s more types") % {"types": told, "n": formats.number(left)}


def _outcome(run: Run) -> str:
    """How many differed, by kind, and how many of them were repaired."""
    found = run.counts.found
    told = [differing(kind, found[kind], past=True) for kind in Kind if found.get(kind)]
    if run.counts.repaired:
        told.append(_("%(n)s repaired") % {"n": formats.number(run.counts.repaired)})
    return ", ".join(told) or _("nothing differed")
