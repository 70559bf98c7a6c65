"""Finds the sentences that packages below the console say to people: errors, alarms, meanings of actions, timelines.

Those packages are pure English and know no translation; the console translates what they say where it shows it
(``web.console.telling``). So the sentences are read from their syntax. An f-string becomes a pattern whose values are
named by what stands in it: ``f"There is no account {slug}."`` is ``There is no account %(slug)s.``
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
SOURCES: Final = ROOT / "src" / "trueup"
SAID: Final = frozenset({"message", "hint", "remedy", "finding"})
"""Arguments whose text people read, whatever is called with it."""
UNSHOWN: Final = (
    *("sandbox", "ops", "config", "web", "runtime/postgres", "runtime/shadows.py", "runtime/topics.py"),
    *("audit/notes", "audit/merkle", "audit/signing", "audit/witnesses", "audit/canonical.py", "audit/sealing"),
    *("audit/exporting/directory.py", "audit/retention", "audit/exporting/files.py", "customer/rules/mrr"),
    *(
        "kernel/time.py",
        "runtime/configuration.py",
        "runtime/crypto.py",
        "runtime/errands.py",
        "runtime/installation.py",
    ),
    *("runtime/dead_letters.py", "mirror/backfill/store.py", "mirror/backfill/walks.py", "mirror/reconcile/runs.py"),
    *("mirror/reads.py",),
)
"""What speaks on a terminal, to programs or in logs alone."""
TABLES: Final[Mapping[str, str]] = {
    "audit/catalogue.py": "CATALOGUE",
    "customer/rules/reasons.py": "RULES",
    "customer/rules/declines.py": "",
    "web/console/told_words.py": "TOLD",
}
"""Files whose texts are all read by people: those inside one name, or, without a name, whatever has a space."""
_NAME: Final = re.compile(r"[A-Za-z_]\w*")


def sentences(sources: Path = SOURCES) -> dict[str, list[str]]:
    """Every sentence or pattern, and the files that say it, relative to ``sources``."""
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(sources.rglob("*.py"))}
    errors = _errors(trees.values())
    found: dict[str, list[str]] = {}
    for path, tree in trees.items():
        name = path.relative_to(sources).as_posix()
        if name in TABLES:
            said = _table(tree, TABLES[name])
        elif name.startswith(UNSHOWN) or "/migrations/" in name:
            continue
        else:
            said = _said(tree, errors)
        for sentence in said:
            places = found.setdefault(sentence, [])
            if name not in places:
                places.append(name)
    return found


def _errors(trees: Iterable[ast.Module]) -> frozenset[str]:
    """The names of our errors: whatever follows from ``TrueupError``, in any number of steps."""
    bases: dict[str, set[str]] = {}
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                bases.setdefault(node.name, set()).update(filter(None, map(_called, node.bases)))
    known = {"TrueupError"}
    while True:
        more = {name for name, above in bases.items() if above & known} - known
        if not more:
            return frozenset(known)
        known |= more


def _called(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _said(tree: ast.Module, errors: frozenset[str]) -> Iterator[str]:
    """What is passed to an error, and what is passed under one of the names in ``SAID``."""
    ours = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name in errors]
    # An error of ours that composes its own sentence gives it to the one that it follows from.
    composed = {id(node) for one in ours for node in ast.walk(one) if isinstance(node, ast.Call) and _is_initial(node)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        texts = [keyword.value for keyword in node.keywords if keyword.arg in SAID]
        if _called(node.func) in errors or id(node) in composed:
            texts += node.args[:1]
        for text in texts:
            yield from _patterns(text)


def _is_initial(node: ast.Call) -> bool:
    return ast.unparse(node.func) == "super().__init__"


def _table(tree: ast.Module, name: str) -> Iterator[str]:
    """The texts of a table: all that are read, or those within one name."""
    for node in tree.body:
        if not isinstance(node, ast.AnnAssign) or node.value is None or name not in {"", _called(node.target)}:
            continue
        keys = {key for one in ast.walk(node.value) if isinstance(one, ast.Dict) for key in one.keys}
        firsts = [one.args[:1] for one in ast.walk(node.value) if isinstance(one, ast.Call) and one.args]
        spoken = [text for args in firsts for text in args] if name == "CATALOGUE" else list(ast.walk(node.value))
        for one in spoken:
            if not isinstance(one, ast.Constant) or not isinstance(one.value, str) or one in keys:
                continue
            if name or (re.search(r"\w \w", one.value) and "_" not in one.value):
                yield one.value


def _patterns(node: ast.expr) -> Iterator[str]:
    """A text as a pattern; both of two that a condition chooses from. Texts made elsewhere are nobody's."""
    match node:
        case ast.Constant(value=str(value)) if re.search(r"[a-z] \w", value):
            yield value.replace("%", "%%")
        case ast.JoinedStr():
            pattern = _joined(node)
            if re.search(r"[a-z] \w", re.sub(r"%\(\w+\)s", "", pattern)):
                yield pattern
        case ast.IfExp():
            yield from _patterns(node.body)
            yield from _patterns(node.orelse)
        case _:
            return


def _joined(node: ast.JoinedStr) -> str:
    parts: list[str] = []
    taken: dict[str, int] = {}
    for part in node.values:
        if isinstance(part, ast.Constant):
            parts.append(str(part.value).replace("%", "%%"))
            continue
        assert isinstance(part, ast.FormattedValue)  # noqa: S101 - there is nothing else in an f-string
        names = [one for one in _NAME.findall(ast.unparse(part.value)) if one not in {"len", "self", "str", "join"}]
        name = names[-1].strip("_").lower() if names else "value"
        taken[name] = taken.get(name, 0) + 1
        parts.append(f"%({name}{taken[name] if taken[name] > 1 else ''})s")
    return "".join(parts)
