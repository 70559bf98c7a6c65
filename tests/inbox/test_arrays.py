"""Ready-made arrays arrive in the database as the values they were made of."""

from __future__ import annotations

import os

import psycopg
from hypothesis import given, settings
from hypothesis import strategies as st

from trueup.inbox.intake import arrays

NUMBERS = st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=20)
WORDS = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=40)
LONG = st.sampled_from(["", "x" * 1023, "x" * 1024, "é" * 900])
ROUND_TRIP = b"select %(numbers)b::int8[], %(truths)b::bool[], %(words)b::text[], %(bodies)b::bytea[]"


@settings(max_examples=60, deadline=None)
@given(
    numbers=NUMBERS,
    truths=st.lists(st.booleans(), min_size=1, max_size=20),
    words=st.lists(WORDS | LONG, min_size=1, max_size=20),
    bodies=st.lists(st.binary(max_size=2000), min_size=1, max_size=20),
)
def test_every_value_arrives_as_it_was(
    numbers: list[int], truths: list[bool], words: list[str], bodies: list[bytes]
) -> None:
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        arrays.register(connection)
        made = {
            "numbers": arrays.int8s(numbers),
            "truths": arrays.bools(truths),
            "words": arrays.texts(words),
            "bodies": arrays.byteas(bodies),
        }
        row = connection.execute(ROUND_TRIP, made, binary=True).fetchone()

    assert row == (numbers, truths, words, bodies)
