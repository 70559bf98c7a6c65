"""The gallery of components: for developers, whole, and without two of one id."""

from __future__ import annotations

import re
from collections import Counter

from django.test import Client

from trueup.kernel.actor import system
from trueup.operators import service as operators
from trueup.operators.types import Person, Role
from trueup.web.console.gallery import apart


def test_it_shows_every_component_light_and_dark(reader: Client) -> None:
    told = reader.get("/gallery").content.decode()

    assert told.count('data-scheme="light"') == told.count('data-scheme="dark"') > 30
    for word in ("Past due", "Refunded in part", "Typed to confirm", "insufficient", "Newest entries", "No customers"):
        assert (word in told) == (word != "Newest entries"), word
    repeated = {name for name, number in Counter(re.findall(r'\bid="([^"]+)"', told)).items() if number > 1}
    assert repeated == set()


def test_only_whoever_builds_pages_is_shown_it(person: Person, reader: Client) -> None:
    operators.create_operator(
        email="o@acme.example", password="nine quiet rivers", roles=[Role.OWNER], by=system("test")
    )
    operators.set_roles(operator_id=person.id, roles=[Role.SALES], by=system("test"))
    assert reader.get("/gallery").status_code == 403
    assert 'href="/gallery"' not in reader.get("/customers").content.decode()

    operators.set_roles(operator_id=person.id, roles=[Role.DEVELOPER], by=system("test"))
    assert reader.get("/gallery").status_code == 200
    assert 'href="/gallery"' in reader.get("/customers").content.decode()


def test_a_copy_has_ids_of_its_own_and_stays_whole() -> None:
    html = '<label for="a">x</label><input id="a" aria-describedby="b c" type="radio" name="m"><a href="#a">y</a>'

    assert apart(html, "dark") == (
        '<label for="a-dark">x</label><input id="a-dark" aria-describedby="b-dark c-dark" type="radio" name="m-dark">'
        '<a href="#a-dark">y</a>'
    )
