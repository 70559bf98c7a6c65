"""The sandbox's tables of Stripe's wire format: that they are up to date, and that the SDK is read rightly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from tools.sandbox_tables import events, sdk
from tools.sandbox_tables.__main__ import TABLES, tables
from tools.sandbox_tables.objects import Objects
from tools.sandbox_tables.parameters import Parameters
from tools.sandbox_tables.shared import Table

SERVICE: Final = """
from stripe.params._thing_create_params import ThingCreateParams

class ThingService(StripeService):
    def __init__(self, requestor):
        super().__init__(requestor)

    def create(self, thing: str, params: Optional["ThingCreateParams"] = None) -> "Thing":
        return cast("Thing", self._request("post", "/v1/things/{thing}".format(thing=clean(thing)), params=params))

    async def create_async(self, params: "ThingCreateParams") -> "Thing":
        return await self._request_async("post", "/v1/never", params=params)
"""
PARAMS: Final = '''
from stripe.v2._amount import AmountParam

_ThingCreateParamsBase = TypedDict("ThingCreateParams", {"from": NotRequired["ThingCreateParamsInner"]})

class ThingCreateParams(_ThingCreateParamsBase, RequestOptions):
    amount: AmountParam
    anchor: NotRequired["int|Literal['now', 'unchanged']"]
    any_of: Union[str, "ThingCreateParamsInner", "ThingCreateParamsOther"]
    at: NotRequired["ThingCreateParamsInner|int"]
    """
    Words about it.
    """
    cleared: NotRequired[Literal[""]]
    count: int
    empty_or_list: NotRequired["Literal['']|List[ThingCreateParamsInner]"]
    exact: NotRequired[Decimal]
    file: Any
    kinds: NotRequired[List[Union[Literal["b", "a"], str]]]
    metadata: NotRequired["Literal['']|Dict[str, str]|UntypedStripeObject[str]"]
    newer: NotRequired["Dict[str, Optional[str]]|UntypedStripeObject[Optional[str]]"]
    note: NotRequired["Literal['']|str"]
    rate: NotRequired[float]
    sure: bool

class ThingCreateParamsInner(TypedDict):
    gte: NotRequired[int]

class ThingCreateParamsOther(TypedDict):
    gte: NotRequired[int]
'''
AMOUNT: Final = """
class Amount(StripeObject):
    value: int
    currency: str

class AmountParam(TypedDict):
    value: int
    currency: str
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A small SDK."""
    made = tmp_path / "stripe"
    write(made / "_thing_service.py", SERVICE)
    write(made / "params" / "_thing_create_params.py", PARAMS)
    write(made / "v2" / "_amount.py", AMOUNT)
    return made


def write(file: Path, text: str) -> None:
    """A file, with its folders."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def read(root: Path) -> tuple[dict[str, str], dict[str, Any]]:
    """The routes and parameters of an SDK."""
    routes, parameters = Parameters(root).texts()
    return json.loads(routes), json.loads(parameters)["objects"]


def test_the_tables_in_the_repository_are_what_the_sdk_and_the_schema_give(shared: Path, repository: Path) -> None:
    made = tables(shared)

    written = {name: (repository / TABLES / name).read_text(encoding="utf-8") for name in made}

    assert {name for name in made if made[name] != written[name]} == set()
    assert len(made) == 4


def test_the_tables_are_small(repository: Path) -> None:
    assert sum(file.stat().st_size for file in (repository / TABLES).glob("*.json")) < 1_200_000


def test_a_service_gives_the_routes_that_it_calls(root: Path) -> None:
    assert read(root)[0] == {"POST /v1/things/{thing}": "ThingCreateParams"}


def test_every_type_of_a_parameter_has_its_words(root: Path) -> None:
    objects = read(root)[1]

    assert objects["ThingCreateParams"] == {
        "amount!": "@v2.AmountParam",
        "anchor": "<(now|unchanged)/integer>",
        "any_of!": "<string/@ThingCreateParamsInner,ThingCreateParamsInner>",
        "at": "<integer/@ThingCreateParamsInner>",
        "cleared": "?()",
        "count!": "integer",
        "empty_or_list": "?[]@ThingCreateParamsInner",
        "exact": "decimal",
        "file!": "file",
        "from": "@ThingCreateParamsInner",
        "kinds": "[](b|a)",
        "metadata": "?{}string",
        "newer": "{}?string",
        "note": "?string",
        "rate": "number",
        "sure!": "boolean",
    }
    assert objects["v2.AmountParam"] == {"currency!": "string", "value!": "integer"}


def test_what_is_alike_is_told_once_under_the_shortest_name(root: Path) -> None:
    assert read(root)[1].keys() == {"ThingCreateParams", "ThingCreateParamsInner", "v2.AmountParam"}


def test_two_services_that_call_one_operation_have_to_agree(root: Path) -> None:
    write(root / "_other_service.py", SERVICE)
    assert read(root)[0] == {"POST /v1/things/{thing}": "ThingCreateParams"}

    older = SERVICE.replace("_thing_create_params", "_old_params").replace("ThingCreateParams", "OldParams")
    write(root / "_older_service.py", older)
    write(root / "params" / "_old_params.py", "class OldParams(RequestOptions):\n    x: int\n")

    with pytest.raises(sdk.Unreadable, match="do not agree"):
        read(root)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"/v1/things/{thing}".format(thing=clean(thing))', "path", "computes what it calls"),
        ("self._request(", "self._send(", "makes 0 calls"),
        ('params: Optional["ThingCreateParams"] = None', "options=None", "with 0 parameters"),
        ('params: Optional["ThingCreateParams"] = None', 'params: Optional["Elsewhere"] = None', "names no parameters"),
    ],
)
def test_a_service_that_is_written_otherwise_is_not_guessed_at(root: Path, old: str, new: str, told: str) -> None:
    assert old in SERVICE
    write(root / "_thing_service.py", SERVICE.replace(old, new))

    with pytest.raises(sdk.Unreadable, match=told):
        read(root)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("count: int", "count: Callable[[], int]", r"ThingCreateParams\.count: Callable"),
        ("count: int", "def count(self): ...", "has more than fields"),
        ("(_ThingCreateParamsBase, RequestOptions)", "(_Elsewhere)", "there is no _Elsewhere"),
        ("AmountParam\n", "Amount\n", "there is no"),
    ],
)
def test_parameters_that_are_written_otherwise_are_not_guessed_at(root: Path, old: str, new: str, told: str) -> None:
    assert old in PARAMS
    changed = PARAMS.replace("from stripe.v2._amount import AmountParam", "") if old == "AmountParam\n" else PARAMS
    write(root / "params" / "_thing_create_params.py", changed.replace(old, new))

    with pytest.raises(sdk.Unreadable, match=told):
        read(root)


def test_long_enums_are_shared_and_short_ones_stand_where_they_are_used() -> None:
    table = Table()
    long = [f"value_number_{at}" for at in range(9)]
    table.put("b", {"x": table.values("b.x", long), "y": table.values("b.y", ["one", "two"])})
    table.put("a", {"x": table.values("a.x", long)})

    told = json.loads(table.text(["a", "b"]))

    assert told["enums"] == {"a.x": long}
    assert told["objects"] == {"a": {"x": "=a.x"}, "b": {"x": "=a.x", "y": "(one|two)"}}


def test_what_contains_alike_things_is_alike() -> None:
    table = Table()
    table.put("top", {"l": "[]@long_outer", "u": "<string/@outer,long_inner>"})
    table.put("outer", {"i": "@inner"})
    table.put("long_outer", {"i": "@long_inner"})
    table.put("inner", {"n": "integer"})
    table.put("long_inner", {"n": "integer"})

    assert json.loads(table.text(["top"]))["objects"] == {
        "inner": {"n": "integer"},
        "outer": {"i": "@inner"},
        "top": {"l": "[]@outer", "u": "<string/@outer,inner>"},
    }


def test_classes_of_one_name_are_told_apart_by_the_files_imports(root: Path) -> None:
    write(root / "_card.py", "class Card: ...\n")
    write(
        root / "issuing" / "_card.py", "class Card:\n    class Old:\n        _field_encodings = {'n': 'int64_string'}\n"
    )
    write(root / "_holder.py", "from stripe._card import Card as CardResource\nfrom stripe.v2._amount import Amount\n")
    named = {"t": "enum", "values": ["x"]}
    schema: dict[str, Any] = {
        "card": {"class": "Card", "file": "_card.py", "fields": {"object": named}},
        "issuing.card@v2": {
            "class": "Card",
            "file": "issuing/_card.py",
            "fields": {
                "from_": {"t": "ref", "ref": "Card", "null": True},
                "old": {"t": "obj", "ref": "Old", "fields": {"n": {"t": "int"}, "m": {"t": "int", "null": True}}},
            },
        },
        "holder": {
            "class": "Holder",
            "file": "_holder.py",
            "fields": {
                "amount": {"t": "ref", "ref": "Amount"},
                "card": {"t": "ref", "ref": "CardResource", "expandable": True},
                "cards": {"t": "listobj", "of": {"t": "ref", "ref": "CardResource"}, "null": True},
                "deleted": {"t": "enum", "values": [True], "null": True},
                "either": {"t": "union", "of": [{"t": "ref", "ref": "CardResource"}], "expandable": True},
                "rates": {"t": "map", "of": {"t": "float"}},
                "rule": {"t": "obj", "ref": "Rule", "expandable": True, "fields": {"id": {"t": "str"}}},
                "tags": {"t": "list", "of": {"t": "Any"}},
            },
        },
        "list": {"class": "ListObject", "file": "_list_object.py", "fields": {}},
    }

    told = json.loads(Objects(root, schema).text())["objects"]

    assert told == {
        "card": {"object": "(x)"},
        "issuing.card": {"from": "?@issuing.card", "old": "@issuing.card:old"},
        "issuing.card:old": {"m": "?integer", "n": "int64"},
        "holder": {
            "amount": "@v2:amount",
            "card": "&card",
            "cards": "?list:@card",
            "deleted": "?true",
            "either": "&card",
            "rates": "{}number",
            "rule": "<string/@holder:rule>",
            "tags": "[]any",
        },
        "holder:rule": {"id": "string"},
        "v2:amount": {"currency": "string", "value": "integer"},
    }


def test_events_are_about_classes_in_their_namespaces() -> None:
    schema = {
        "checkout.session": {"class": "Session", "file": "checkout/_session.py"},
        "billing_portal.session": {"class": "Session", "file": "billing_portal/_session.py"},
        "three_d_secure.authentication": {"class": "Authentication", "file": "three_d_secure/_authentication.py"},
        "account": {"class": "Account", "file": "_account.py"},
        "v2.core.account@v2": {"class": "Account", "file": "v2/core/_account.py"},
        "fee_refund": {"class": "ApplicationFeeRefund", "file": "_application_fee_refund.py"},
    }
    snapshot = {
        "checkout.session.completed": "Checkout.Session",
        "three_d_secure.authentication.failed": "ThreeDSecure.Authentication",
        "fee.refunded": "FeeRefund",
        "source.created": "CustomerSource",
    }
    thin = {
        "v1.checkout.session.completed": "Session",
        "v1.account.updated": "Account",
        "v2.core.account.updated": "Account",
        "v1.invoice.upcoming": "",
    }

    told = json.loads(
        events.text(
            schema,
            [{"type": name, "data.object (SDK type)": about} for name, about in snapshot.items()],
            [{"type": name, "related_object": about} for name, about in thin.items()],
        )
    )

    assert told == {
        "snapshot": {
            "checkout.session.completed": "checkout.session",
            "three_d_secure.authentication.failed": "three_d_secure.authentication",
            "fee.refunded": "fee_refund",
            "source.created": "bank_account,card,source",
        },
        "thin": {
            "v1.checkout.session.completed": "checkout.session",
            "v1.account.updated": "account",
            "v2.core.account.updated": "v2.core.account",
            "v1.invoice.upcoming": "",
        },
    }
    with pytest.raises(sdk.Unreadable, match="there is no Unicorn"):
        events.text(schema, [{"type": "x", "data.object (SDK type)": "Unicorn"}], [])
    with pytest.raises(sdk.Unreadable, match="is about"):
        events.text(schema, [], [{"type": "v1.odd.thing", "related_object": "Session"}])
