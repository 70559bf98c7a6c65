"""Everything that the audit log records: `docs/audit-actions.md`.

    python -m tools.audit_actions      writes the page and says how many

The actions and what stands in the log as it is are the program's own catalogue.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from trueup.audit.catalogue import CATALOGUE, Described
from trueup.audit.types import Action

PAGE: Final = Path(__file__).resolve().parents[1] / "docs" / "audit-actions.md"

_HEAD: Final = """# What the audit log records

Written by `python -m tools.audit_actions`; a test makes it again and compares. How entries are proved and erased:
[audit.md](audit.md).

An entry says who acted, what they did, to which object and when. Of its values before and after, those named here stand
in the log as they are, besides yes, no and nothing. Every other value, the reason, and the address or host that it was
asked from stand in it as salted digests; the values themselves are kept apart, encrypted, and can be erased.
"""
_DOMAINS: Final = {
    "accounts": "Stripe accounts",
    "operators": "People and tokens",
    "inbox": "The log of events",
    "mirror": "The mirror of Stripe",
    "customer": "Customers",
    "notices": "Notifications",
    "ops": "The installation",
    "audit": "The audit log itself",
}


def page(catalogue: Mapping[Action, Described]) -> str:
    """The page's text."""
    domains: dict[str, list[Action]] = {}
    for action in catalogue:
        domains.setdefault(action.value.partition(".")[0], []).append(action)
    text = [_HEAD]
    for domain, actions in domains.items():
        text.append(f"## {_DOMAINS[domain]}\n| action | what happened | stands as it is |\n|---|---|---|")
        for action in actions:
            plain = ", ".join(f"`{name}`" for name in sorted(catalogue[action].plain))
            text.append(f"| `{action.value}` | {catalogue[action].meaning} | {plain or 'nothing'} |")
        text.append("")
    return "\n".join(text)


def main() -> int:
    """Write the page."""
    PAGE.write_text(page(CATALOGUE), encoding="utf-8")
    print(f"{len(CATALOGUE)} actions in {PAGE.name}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
