"""The gate that keeps floating point away from amounts."""

from __future__ import annotations

import pytest

from tools.money import EXACT, floats


@pytest.mark.parametrize(
    ("_case", "source", "name"),
    [
        ("a variable", "total_minor: float = 0", "total_minor"),
        ("a field among alternatives", "class Row:\n    amount: int | float", "amount"),
        ("an argument", "def pay(*, unit_amount: float) -> None: ...", "unit_amount"),
        ("an answer", "def refund_amount() -> float: ...", "refund_amount"),
        ("an attribute", "self.balance_minor: 'float' = 1", "balance_minor"),
    ],
)
def test_an_amount_must_not_be_a_float_in_any_file(_case: str, source: str, name: str) -> None:
    found = [sentence for _, sentence in floats(source, exact=False)]

    assert found == [f"{name} is an amount and must not be a float"]


def test_what_is_no_amount_may_be_a_float() -> None:
    assert list(floats("seconds: float = 0.5\nlimit = float('1')\namounted: float = 1.0", exact=False)) == []


def test_a_file_that_computes_amounts_neither_calls_float_nor_writes_one() -> None:
    found = list(floats("half = 0.5\nvalue = float(text)\nwhole = 5", exact=True))

    assert sorted(line for line, _ in found) == [1, 2]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("src/trueup/kernel/money.py", True),
        ("src/trueup/customer/fold.py", True),
        ("src/trueup/customer/rules/revenue.py", True),
        ("src/trueup/mirror/upcast/invoice.py", True),
        ("src/trueup/customer/store.py", False),
        ("src/trueup/runtime/clock.py", False),
    ],
)
def test_pure_files_of_domains_with_amounts_are_exact(path: str, expected: bool) -> None:
    assert bool(EXACT.search(path)) is expected
