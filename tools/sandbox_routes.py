"""Which of Stripe's routes the sandbox answers: `docs/sandbox-routes.md`.

    python -m tools.sandbox_routes      writes the page and says how many

Stripe's routes are those of the SDK, in the sandbox's own tables; what it answers is its wiring.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Final

import orjson

from trueup.sandbox.server.wiring import WIRING

PAGE: Final = Path(__file__).resolve().parents[1] / "docs" / "sandbox-routes.md"

_HEAD: Final = """# What the sandbox answers, route by route

Written by `python -m tools.sandbox_routes`; a test makes it again and compares. Any other route of Stripe's is answered
as Stripe answers a route that it does not know: 404, `Unrecognized request URL`.
"""
_PLACES: Final = {"v1": 1, "v2": 2}
"""How many parts of a path after the version name its resource."""


def stripes() -> list[str]:
    """Every route of the SDK, as ``POST /v1/customers``."""
    kept = files("trueup.sandbox.wire").joinpath("routes.json").read_bytes()
    return list(orjson.loads(kept))


def resource(route: str) -> str:
    """What a route is about: ``/v1/customers``, ``/v1/test_helpers/test_clocks``, ``/v2/core/events``."""
    path = route.partition(" ")[2].strip("/").split("/")
    count = _PLACES[path[0]] + (path[1] in {"test_helpers", "billing", "radar"})
    named = [part for part in path[1 : 1 + count] if not part.startswith("{")]
    return "/" + "/".join([path[0], *named])


def page(answered: Iterable[str], all_routes: Iterable[str]) -> str:
    """The page's text."""
    known = set(answered)
    groups: dict[str, list[str]] = {}
    for route in all_routes:
        groups.setdefault(resource(route), []).append(route)
    have = {name: [one for one in routes if one in known] for name, routes in groups.items()}
    some = {name: routes for name, routes in sorted(groups.items()) if have[name]}
    none = sorted(name for name in groups if not have[name])
    total = sum(len(found) for found in have.values())
    text = [
        _HEAD,
        f"Answered: {total} of {sum(map(len, groups.values()))} routes, {len(some)} resources of {len(groups)}.\n",
        "| resource | answered | not answered |\n|---|---|---|",
    ]
    for name, routes in some.items():
        rest = [route for route in routes if route not in known]
        text.append(f"| `{name}` | {_list(have[name], name)} | {_list(rest, name)} |")
    text += ["\n## Resources of which nothing is answered\n", ", ".join(f"`{name}`" for name in none) + ".\n"]
    return "\n".join(text)


def _list(routes: Iterable[str], name: str) -> str:
    """Methods by what follows the resource's own path: ``POST, GET`` ``{id}``: ``GET, DELETE``."""
    grouped: dict[str, list[str]] = {}
    for route in routes:
        method, _, path = route.partition(" ")
        grouped.setdefault(path.removeprefix(name) or "/", []).append(method)
    return "<br>".join(f"`{path}` {', '.join(sorted(methods))}" for path, methods in sorted(grouped.items()))


def main() -> int:
    """Write the page."""
    text = page(WIRING.routes, stripes())
    PAGE.write_text(text, encoding="utf-8")
    print(text.splitlines()[5])
    return 0


if __name__ == "__main__":
    sys.exit(main())
