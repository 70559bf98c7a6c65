"""The keys: what the page of help says is what the script does, and the pages that a reader may go to."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

from django.contrib.auth import get_user_model
from django.test import Client

from trueup.kernel.actor import system
from trueup.operators import service as operators
from trueup.operators.types import Person, Role
from trueup.web.console.shortcuts import SHORTCUTS

SCRIPT = Path("src/trueup/web/static/console/console.js")


def test_the_script_can_do_what_the_table_says_and_nothing_else(reader: Client, repository: Path) -> None:
    moves = re.search(r"const moves = \{\n(.*?)\n\};", (repository / SCRIPT).read_text(), re.DOTALL)
    assert moves is not None
    can = set(re.findall(r"^  (\w+)\(", moves[1], re.MULTILINE))

    page = reader.get("/customers").content.decode()
    told = re.search(r'<meta name="shortcuts" content="([^"]+)">', page)
    assert told is not None
    table = json.loads(html.unescape(told[1]))

    assert set(table.values()) == can
    assert table == {key: one.act for one in SHORTCUTS if one.act for key in one.keys}


def test_help_is_a_page_and_names_only_where_the_reader_may_go(reader: Client, person: Person) -> None:
    page = reader.get("/help/keyboard").content.decode()
    shown = dict(re.findall(r"<kbd>g</kbd> <kbd>(.)</kbd></dt><dd>([^<]+)</dd>", page))
    assert shown["c"] == "Customers"
    assert shown["a"] == "Audit log"
    assert len(shown) == page.count("data-key=")

    operators.create_operator(
        email="o@acme.example", password="nine quiet rivers", roles=[Role.OWNER], by=system("test")
    )
    operators.set_roles(operator_id=person.id, roles=[Role.SALES], by=system("test"))
    client = Client()
    client.force_login(get_user_model().objects.get(pk=person.id))
    part = client.get("/help/keyboard", headers={"HX-Request": "true"}).content.decode()
    assert "Customers" in part
    assert "Audit log" not in part
    assert "<html" not in part
