"""What ``trueup simulate`` says at its end: seeds are named, so that no number can be taken for another."""

from __future__ import annotations

from typing import Any

import pytest

from trueup.ops.commands.simulate import verdict


def told(seeds: int, *diverged: int) -> dict[str, Any]:
    return {"seeds": seeds, "seconds": 7.5, "diverged": list(diverged)}


@pytest.mark.parametrize(
    ("_case_told", "_case_sentence"),
    [
        (told(50), "None of 50 seeds diverged, in 7.5 s of playing: Trueup was as Stripe is."),
        (told(1), "The seed has not diverged, in 7.5 s of playing: Trueup was as Stripe is."),
        (told(50, 2), "Diverged: seed 2, of 50 seeds in 7.5 s of playing."),
        (told(50, 2, 31), "Diverged: seeds 2, 31, of 50 seeds in 7.5 s of playing."),
        (told(1, 2), "Diverged: seed 2, of 1 seed in 7.5 s of playing."),
    ],
)
def test_the_seeds_that_diverged_are_named_and_not_counted(_case_told: dict[str, Any], _case_sentence: str) -> None:
    assert verdict(_case_told) == _case_sentence
