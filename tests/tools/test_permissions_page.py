"""The page of who may do what is made of the program's own tables."""

from __future__ import annotations

from pathlib import Path

from tools import permissions_page
from trueup.operators.permissions import Permission
from trueup.web.api.permitted import OPERATIONS


def test_the_page_is_what_the_program_does(repository: Path) -> None:
    page = repository / "docs" / "permissions.md"

    assert page.read_text(encoding="utf-8") == permissions_page.page(), "run: python -m tools.permissions_page"


def test_every_permission_page_and_operation_stands_on_it() -> None:
    lines = permissions_page.page().splitlines()

    for name in (*(one.value for one in Permission), *OPERATIONS):
        assert [line for line in lines if line.startswith(f"| `{name}` |")], name
    assert "| `/events/<str:event_id>/body` | `personal.payload` |  |" in lines
