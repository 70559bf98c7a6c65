"""Ready-made arrays arrive in the database as the values they were made of."""

from __future__ import annotations

import os

import psycopg
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import pq

from trueup.inbox.intake import arrays

NUMBERS = st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=20)
WORDS = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=40)
LONG = st.sampled_from(["", "x" * 1023, "x" * 1024, "é" * 900])
TABLE = b"create temporary table given (number int8, numbers int8[], truths bool[], words text[], bodies bytea[])"


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
        made = [
            arrays.int8(numbers[0]),
            arrays.int8s(numbers),
            arrays.bools(truths),
            arrays.texts(words),
            arrays.byteas(bodies),
        ]
        connection.execute(TABLE)
        connection.pgconn.exec_params(
            b"insert into given values ($1, $2, $3, $4, $5)", made, param_formats=[pq.Format.BINARY] * len(made)
        )
        row = connection.execute("select * from given").fetchone()

    assert row == (numbers[0], numbers, truths, words, bodies)
