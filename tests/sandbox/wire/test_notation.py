"""The words for types, and that every word in the generated tables is one."""

from __future__ import annotations

import pytest

from trueup.sandbox.wire.notation import Type, parse, table

STRING = Type(kind="string")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("string", STRING),
        ("?integer", Type(kind="integer", optional=True)),
        ("[]string", Type(kind="array", of=STRING)),
        ("?[][]string", Type(kind="array", optional=True, of=Type(kind="array", of=STRING))),
        ("{}?string", Type(kind="map", of=Type(kind="string", optional=True))),
        ("list:@line_item", Type(kind="list", of=Type(kind="object", names=("line_item",)))),
        ("&v2.core.account,card", Type(kind="expandable", names=("v2.core.account", "card"))),
        ("@invoice:parent.x", Type(kind="object", names=("invoice:parent.x",))),
        ("(day|half year)", Type(kind="enum", values=("day", "half year"))),
        ("()", Type(kind="enum")),
        ("=Known", Type(kind="enum", values=("one", "two"))),
        ("<(now)/integer>", Type(kind="union", arms=(Type(kind="enum", values=("now",)), Type(kind="integer")))),
    ],
)
def test_words_stand_for_a_type(words: str, expected: Type) -> None:
    assert parse(words, {"Known": ["one", "two"]}) == expected


def test_only_what_holds_something_has_an_inside() -> None:
    assert parse("[]string", {}).inside == STRING

    with pytest.raises(ValueError, match="integer holds nothing"):
        _ = parse("integer", {}).inside


@pytest.mark.parametrize("name", ["parameters.json", "objects.json"])
def test_every_word_of_a_table_is_known_and_leads_somewhere(name: str) -> None:
    told = table(name)
    scalars = {"string", "integer", "number", "decimal", "int64", "boolean", "file", "any", "true", "enum"}
    seen: set[str] = set()

    def follow(of: Type) -> None:
        seen.add(of.kind)
        assert set(of.names) <= told["objects"].keys()
        for inner in (*of.arms, *((of.of,) if of.of else ())):
            follow(inner)

    for fields in told["objects"].values():
        for words in fields.values():
            follow(parse(words, told["enums"]))

    assert seen <= scalars | {"array", "map", "list", "object", "expandable", "union"}
    assert {"string", "integer", "enum", "array", "object", "union"} <= seen


@pytest.mark.parametrize("name", ["parameters.json", "objects.json"])
def test_a_table_holds_nothing_that_is_not_used(name: str) -> None:
    told = table(name)
    used: set[str] = set(table("routes.json").values()) if name == "parameters.json" else set()
    enums: set[str] = set()
    for fields in told["objects"].values():
        for words in fields.values():
            for part in words.replace("/", ">").split(">"):
                used |= set(part.partition("@")[2].split(","))
                enums.add(part.partition("=")[2])

    unused = {one for one in told["objects"].keys() - used if name == "parameters.json" or ":" in one}

    assert unused == set()
    assert told["enums"].keys() - enums == set()
