"""Readings that say of themselves what is true: what is certain is so whatever they meet, and the last heals all."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.mirror.order.facts import born, gone, read, step
from trueup.kernel.records import Record
from trueup.mirror.order.resolve import resolve
from trueup.mirror.order.types import Head, Trace, Verdict

STATES = 4


class Life(Record, frozen=True):
    """One object, and what is known of it in the end: ``lost`` says whether an event never came.

    Moments are ``per`` to a second; a clock that stands still has all of them in one.
    """

    facts: tuple[Trace, ...]
    state: int | None
    """Its last; None when it is gone."""
    last: Trace
    """A reading after everything else, which knows all of it."""
    lost: bool


def _reading(began: int, told: list[Trace], at: int, state: int | None, number: int) -> Trace:
    """A reading that began in a second, or later, and knew of these facts."""
    second = max([began, *(fact.second for fact in told)])
    missing = [fact.fact_id for fact in told if fact.read and fact.deleted and state is not None]
    after = {fact.fact_id for fact in told if fact.second == second}.union(missing)
    if state is None:
        made = at if after else None
        return read(second, 0, deleted=True, made=made, fact_id=f"read_{number}", after=tuple(sorted(after)))
    return read(second, state, made=at, fact_id=f"read_{number}", after=tuple(sorted(after)))


@st.composite
def lives(draw: st.DrawFn) -> Life:
    per = draw(st.sampled_from((1, 3, 1_000)))
    moment = 2 * per
    at = made = moment // per
    state: int | None = draw(st.integers(0, STATES - 1))
    assert state is not None
    facts: list[tuple[int, Trace]] = [(moment, born(at, state, made=made, fact_id="evt_0"))]
    waiting: list[tuple[int, int, list[Trace]]] = []
    lost = False
    for number in range(1, draw(st.integers(1, 9)) + 1):
        moment += draw(st.integers(1, 4))
        at = moment // per
        what = draw(st.sampled_from(("change", "change", "change", "begin", "begin", "answer", "answer", "misread")))
        if what == "change" and state is not None:
            end = draw(st.integers(0, 9)) == 0
            after = (state + draw(st.integers(1, STATES - 1))) % STATES
            name = f"evt_{draw(st.integers(0, 9))}{number}"
            told = gone(at, state, made=made, fact_id=name) if end else step(at, state, after, made=made, fact_id=name)
            state = None if end else after
            if draw(st.integers(0, 5)):
                facts.append((moment, told))
            else:
                lost = True
        elif what == "begin":
            # What is in the log by now: anything that has happened, in any part.
            known = [fact for when, fact in facts if when < moment and draw(st.booleans())]
            waiting.append((max(0, at - draw(st.sampled_from((0, 0, 1)))), moment, known))
        elif what == "answer" and waiting:
            began, _since, known = waiting.pop(draw(st.integers(0, len(waiting) - 1)))
            facts.append((moment, _reading(began, known, made, state, number)))
        elif what == "misread" and state is not None:
            facts.append((moment, _reading(at, [fact for _when, fact in facts], made, None, number)))
    at = (moment + 1) // per
    last = _reading(at, [fact for _when, fact in facts], made, state, 99)
    return Life(facts=tuple(fact for _when, fact in facts), state=state, last=last, lost=lost)


def says(head: Head) -> int | None:
    return None if head.deleted else head.state


@settings(max_examples=300)
@given(lives())
def test_the_last_reading_heals_whatever_was_lost_or_misread(life: Life) -> None:
    head = resolve([*life.facts, life.last]).head

    assert (says(head), head.verdict, head.tied) == (life.state, Verdict.CERTAIN, False)


@settings(max_examples=300)
@given(lives())
def test_what_is_certain_is_so_where_nothing_was_lost(life: Life) -> None:
    misread = any(fact.read and fact.deleted for fact in life.facts) and life.state is not None
    head = resolve(life.facts).head

    doubt = head.verdict is not Verdict.CERTAIN or head.tied
    assert life.lost or misread or doubt or says(head) == life.state
