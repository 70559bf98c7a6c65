"""The study of synthetic histories: how often the head is right, undecided or wrong, for each mix."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random

import pytest

from tests.mirror.order.histories import MIXES, Mix, life
from trueup.mirror.order.resolve import resolve
from trueup.mirror.order.types import PlaceKind, Verdict

LIVES = 150


def study(mix: Mix, lives: int, *, missing: int = 0, serial: bool = False) -> Counter[str]:
    """Outcomes for many lives whose last second holds the tie, shuffled, with some of the tied events missing."""
    outcomes: Counter[str] = Counter()
    for number in range(lives):
        random = Random(f"{mix.events} {mix.back} {number}")
        told = life(random, [1, 1, mix.events], back=mix.back, born=random.random() < 0.5, serial=serial)
        last = told[-1].trace
        tied = [one for one in told if one.trace.second == last.second]
        lost = random.sample(tied[:-1], missing)
        traces = [one.trace for one in told if one not in lost]
        random.shuffle(traces)
        head = resolve(traces).head
        right = head.state == last.state
        outcomes[("right" if right else "wrong") if head.verdict is not Verdict.AMBIGUOUS else "ambiguous"] += 1
        outcomes["chosen right all the same"] += right and head.verdict is Verdict.AMBIGUOUS
        outcomes["wrong without a sign"] += not right and head.verdict is Verdict.CERTAIN
    return outcomes


@pytest.mark.parametrize("_case_mix", MIXES)
def test_no_head_is_wrong_when_all_tied_events_are_present(
    _case_mix: Mix, record_property: Callable[[str, object], None]
) -> None:
    outcomes = study(_case_mix, LIVES)

    record_property(f"{_case_mix}", dict(outcomes))
    assert outcomes["wrong"] == 0
    assert outcomes["right"] + outcomes["ambiguous"] == LIVES
    assert outcomes["right"] > LIVES // 2


@pytest.mark.parametrize("_case_mix", [mix for mix in MIXES if mix.back == 0])
def test_a_missing_event_never_makes_a_decided_head_wrong_where_no_state_comes_back(_case_mix: Mix) -> None:
    outcomes = study(_case_mix, LIVES, missing=1, serial=True)

    assert outcomes["wrong"] == 0
    assert outcomes["ambiguous"] > 0


@pytest.mark.parametrize("_case_back", [0, 30])
def test_every_second_of_a_complete_life_ends_in_the_right_state_or_says_that_it_may_not(_case_back: int) -> None:
    for number in range(LIVES):
        random = Random(number)
        told = life(random, [random.randint(1, 4) for _ in range(5)], back=_case_back)
        true_ends = {one.trace.second: one.trace.state for one in told}
        traces = [one.trace for one in told]
        random.shuffle(traces)

        resolution = resolve(traces)

        doubtful = {place.second for place in resolution.places}
        found = {trace.second: trace.state for trace in resolution.versions}
        assert {place.kind for place in resolution.places} <= {PlaceKind.AMBIGUOUS}
        assert {at: end for at, end in found.items() if at not in doubtful} == {
            at: end for at, end in true_ends.items() if at not in doubtful
        }
