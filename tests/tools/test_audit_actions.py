"""The page of what the audit log records is made of the catalogue."""

from __future__ import annotations

from pathlib import Path

from tools import audit_actions
from trueup.audit.catalogue import CATALOGUE, Described
from trueup.audit.types import Action


def test_the_page_is_what_the_catalogue_says(repository: Path) -> None:
    page = repository / "docs" / "audit-actions.md"

    assert page.read_text(encoding="utf-8") == audit_actions.page(CATALOGUE), "run: python -m tools.audit_actions"


def test_every_action_stands_on_it_with_its_meaning_and_what_is_plain() -> None:
    lines = audit_actions.page(CATALOGUE).splitlines()

    for action in Action:
        [line] = [line for line in lines if line.startswith(f"| `{action.value}` |")]
        assert CATALOGUE[action].meaning in line
        assert all(f"`{name}`" in line for name in CATALOGUE[action].plain)


def test_another_meaning_makes_another_page() -> None:
    changed = dict(CATALOGUE) | {Action.TOKEN_REVOKED: Described(meaning="Something else.", plain=frozenset({"x"}))}

    assert "| `operators.token.revoked` | Something else. | `x` |" in audit_actions.page(changed)
    assert audit_actions.page(changed) != audit_actions.page(CATALOGUE)
