"""The comparison finds what differs, and takes no more for equal than it should."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.conformance.comparing import Leaf, Names, compare
from tests.sandbox.conformance.recordings import Step
from tests.sandbox.conformance.report import Known, Report, faults, gather
from tests.sandbox.conformance.running import Outcome

NOW = 1_762_799_293
VERSION = "2025-10-29.clover"


def leaves(recorded: Any, ours: Any, version: str = VERSION) -> list[Leaf]:
    return list(compare(recorded, ours, names=Names(), version=version))


def differing(recorded: Any, ours: Any) -> list[tuple[str, str, str, str]]:
    return [(one.type, one.path, one.recorded, one.ours) for one in leaves(recorded, ours) if not one.equal]


@pytest.mark.parametrize(
    ("_case", "recorded", "ours", "expected"),
    [
        ("another value", {"amount": 1}, {"amount": 2}, [("charge", "amount", "1", "2")]),
        ("another type", {"amount": 1}, {"amount": True}, [("charge", "amount", "1", "true")]),
        ("only recorded", {"a": None}, {}, [("charge", "a", "null", "(absent)")]),
        ("only ours", {}, {"a": {"b": 1}}, [("charge", "a.b", "(absent)", "1")]),
        (
            "null and a hash",
            {"a": None},
            {"a": {"b": 1}},
            [("charge", "a", "null", "{…}"), ("charge", "a.b", "(absent)", "1")],
        ),
        ("empty and a hash", {"a": {}}, {"a": {"b": 1}}, [("charge", "a.b", "(absent)", "1")]),
        ("a longer list", {"a": [1, 2]}, {"a": [1]}, [("charge", "a[]", "2", "(absent)")]),
        ("a time and none", {"created": NOW}, {"created": None}, [("charge", "created", "(time)", "null")]),
        ("a time too late", {"created": NOW}, {"created": NOW + 61}, [("charge", "created", "(time)", "(time)")]),
        ("a time a little later", {"created": NOW}, {"created": NOW + 60}, []),
        ("ids", {"id": "ch_3SRzqaKXBGcbgpbZ"}, {"id": "ch_3AAAAAAAAAAAAAAA"}, []),
        ("a token", {"receipt_url": "https://a"}, {"receipt_url": "https://b"}, []),
        (
            "a token and none",
            {"receipt_url": "https://a"},
            {"receipt_url": None},
            [("charge", "receipt_url", "https://a", "null")],
        ),
        (
            "what the newest version brought",
            {},
            {"payment_method_details": {"card": {"transaction_link_id": None}}},
            [],
        ),
        ("an echo", {"order": None}, {}, []),
        ("an echo that is ours only", {}, {"order": None}, [("charge", "order", "(absent)", "null")]),
    ],
)
def test_differences_are_told_leaf_by_leaf(_case: str, recorded: Any, ours: Any, expected: list[Any]) -> None:
    charge = {"object": "charge"}

    assert differing({**charge, **recorded}, {**charge, **ours}) == expected


def test_an_id_stands_for_one_object_only() -> None:
    recorded = {"object": "charge", "customer": "cus_TL2gsQ7ihn5JSH", "payer": "cus_TL2gsQ7ihn5JSH"}
    ours = {"object": "charge", "customer": "cus_AAAAAAAAAAAAA1", "payer": "cus_AAAAAAAAAAAAA2"}

    assert differing(recorded, ours) == [("charge", "payer", "cus_…", "cus_…")]


def test_ids_within_a_text_are_translated() -> None:
    recorded = {"object": "charge", "id": "ch_3SRzqaKXBGcbgpbZ", "url": "/v1/charges/ch_3SRzqaKXBGcbgpbZ/refunds"}
    ours = {"object": "charge", "id": "ch_3AAAAAAAAAAAAAAA", "url": "/v1/charges/ch_3AAAAAAAAAAAAAAA/refunds"}

    assert differing(recorded, ours) == []
    assert differing(recorded, {**ours, "url": "/v1/charges/ch_3BBBBBBBBBBBBBBB/refunds"}) != []


def test_what_is_not_compared_is_counted_with_its_reason() -> None:
    plan = {"object": "plan", "id": "small", "amount": 1}

    found = leaves({"object": "subscription", "plan": plan}, {"object": "subscription"})

    assert [one.kind for one in found] == ["value", "exempt", "exempt", "exempt"]
    assert found[1].recorded == "not in the schema, which every answer has to meet"


STEP = Step("", "test", "000", VERSION, "GET", "/v1/charges/ch_1", (), 200, {})


def _report(*amounts: int) -> Report:
    charge = {"object": "charge", "amount": 1}
    return gather(Outcome(STEP, leaves=leaves(charge, {**charge, "amount": amount})) for amount in amounts)


def test_a_new_difference_is_a_fault() -> None:
    assert faults(_report(1, 2), []) == [
        "new: charge | amount | 1 | 2, on 1 leaves instead of 0, in test/000 GET /v1/charges/ch_1"
    ]


def test_a_difference_that_is_gone_is_a_fault_until_the_file_shrinks() -> None:
    file = [Known("charge", "amount", "1", "2", 2, "known")]

    assert faults(_report(2, 2), file) == []
    assert faults(_report(2, 2, 2), file)[0].startswith("new: ")
    assert faults(_report(2), file) == ["gone: charge | amount | 1 | 2, on 1 leaves instead of 2: shrink the file"]


def test_only_plain_values_count_towards_the_share() -> None:
    report = _report(1, 2)

    assert (report.equal.total(), report.compared.total(), report.enough) == (3, 4, False)
