"""The house's order: few names for files, short modules, a README that opens each package, no tie to a place."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.architecture.layers import PACKAGE, layer_names

LONGEST_MODULE = 400
# Handed to strangers who read it from top to bottom before they run it: that it is one file is its point.
HANDED_OUT = {f"src/{PACKAGE}/audit/exporting/verifier.py": 600}
LONGEST_README = 150
LONGEST_RECORD = 70
DOMAINS = {
    *("audit", "policy", "operators", "accounts", "inbox", "mirror", "customer"),
    *("access", "usage", "billing", "trust", "revenue", "sync", "engage"),
}
VOCABULARY = {
    *("README.md", "__init__.py", "types.py", "errors.py", "fold.py", "rules.py"),
    *("models.py", "store.py", "service.py", "drain.py", "tasks.py", "migrations/"),
}
README_SECTIONS = ("owns", "does not own", "invariants", "intentional limitations")
RECORD_SECTIONS = ("context", "decision", "consequences", "alternatives", "enforced by")
FORBIDDEN_NAMES = {"core", "common", "utils", "helpers", "manager", "lib", "misc"}


def files(repository: Path, *folders: str) -> list[Path]:
    """Every file below these folders, without what Python leaves behind."""
    found = [file for folder in folders for file in (repository / folder).rglob("*") if file.is_file()]
    return sorted(file for file in found if "__pycache__" not in file.parts and not file.parent.suffix)


def modules(repository: Path) -> list[Path]:
    """Every Python file of the product, its tests, tools and benchmarks, without Django's migrations."""
    everything = files(repository, "src", "tests", "tools", "bench")
    found = [file for file in everything if file.suffix == ".py" and "migrations" not in file.parts]
    assert len(found) > 100
    return found


def strangers(names: set[str], records: str, domain: str) -> set[str]:
    """The names in a domain that are not in the vocabulary and that no decision record names as ``domain/name``."""
    return {name for name in names - VOCABULARY if f"`{domain}/{name}`" not in records}


def test_files_in_a_domain_have_the_names_of_the_vocabulary(repository: Path) -> None:
    records = "\n".join(file.read_text(encoding="utf-8") for file in (repository / "docs" / "adr").glob("*.md"))
    root = repository / "src" / PACKAGE
    paths = [file.relative_to(root).parts for file in files(repository, f"src/{PACKAGE}")]
    names: dict[str, set[str]] = {}
    for domain, name, *rest in (parts for parts in paths if len(parts) > 1 and parts[0] in DOMAINS):
        names.setdefault(domain, set()).add(f"{name}/" if rest else name)

    unnamed = {domain: found for domain, all_names in names.items() if (found := strangers(all_names, records, domain))}

    assert unnamed == {}
    assert "inbox" in names


def test_a_stranger_in_a_domain_is_seen_unless_a_record_names_it() -> None:
    assert strangers({"store.py", "parsing.py"}, "", "mirror") == {"parsing.py"}
    assert strangers({"store.py", "parsing.py"}, "We add `mirror/parsing.py` because ...", "mirror") == set()


def test_no_name_says_nothing(repository: Path) -> None:
    vague = [str(file) for file in modules(repository) if FORBIDDEN_NAMES & {file.stem, *file.parent.parts}]

    assert vague == []


def test_no_module_is_longer_than_a_person_reads(repository: Path) -> None:
    long = {
        str(file): lines
        for file in modules(repository)
        if (lines := count(file)) > HANDED_OUT.get(str(file.relative_to(repository)), LONGEST_MODULE)
    }

    assert long == {}


def test_every_package_opens_with_a_readme(repository: Path) -> None:
    root = repository / "src" / PACKAGE
    packages = [*(name for name, optional in layer_names(repository) if not optional), "sandbox"]

    problems = {name: found for name in packages if (found := readme_problems(root / name / "README.md"))}

    assert problems == {}


def test_every_decision_record_has_its_sections_and_is_short(repository: Path) -> None:
    records = sorted((repository / "docs" / "adr").glob("*.md"))

    problems = {file.name: found for file in records if (found := missing(file, RECORD_SECTIONS, LONGEST_RECORD))}

    assert problems == {}
    assert [file.name[:4] for file in records] == [f"{number:04}" for number in range(1, len(records) + 1)]


@pytest.mark.parametrize("text", ["from django.apps import apps\napps.get_model('x', 'y')", "get_model('x')"])
def test_a_model_looked_up_by_name_is_seen(text: str) -> None:
    assert lookups(text) == [text.count("\n") + 1]


def test_models_are_imported_and_not_looked_up_by_name(repository: Path) -> None:
    hidden = {
        str(file): lines
        for file in modules(repository)
        if PACKAGE in file.parts and (lines := lookups(file.read_text(encoding="utf-8")))
    }

    assert hidden == {}


def test_nothing_names_a_package_index(repository: Path) -> None:
    hosts = re.compile(r"pypi\.org|pythonhosted\.org|--index-url|--extra-index-url|--find-links")
    named = [str(file) for file in (repository / "requirements").iterdir() if hosts.search(file.read_text("utf-8"))]

    assert named == []


def test_the_development_requirements_hold_the_runtimes_pins(repository: Path) -> None:
    pins = {name: pinned(repository / "requirements" / f"{name}.txt") for name in ("runtime", "dev", "build")}

    assert pins["runtime"].items() <= pins["dev"].items()
    assert "django" in pins["runtime"]
    assert "setuptools" in pins["build"]


def test_every_requirement_is_pinned_by_hash(repository: Path) -> None:
    for name in ("runtime", "dev", "build"):
        text = (repository / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
        blocks = re.split(r"\n(?=[a-z0-9])", text)

        assert [block for block in blocks if "--hash=sha256:" not in block] == []


def pinned(file: Path) -> dict[str, str]:
    """Distribution to its pinned version."""
    return dict(
        re.findall(r"^([a-z0-9][a-z0-9._-]*)(?:\[[^]]*\])?==(\S+)", file.read_text(encoding="utf-8"), re.MULTILINE)
    )


def lookups(source: str) -> list[int]:
    """The lines that fetch a model by its name, which no import linter can see."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [call.lineno for call in calls if ast.unparse(call.func).rpartition(".")[2] == "get_model"]


def count(file: Path) -> int:
    """How many lines a file has."""
    return len(file.read_text(encoding="utf-8").splitlines())


def readme_problems(file: Path) -> list[str]:
    """What a package's README lacks."""
    return missing(file, README_SECTIONS, LONGEST_README)


def missing(file: Path, sections: tuple[str, ...], longest: int) -> list[str]:
    """The sections that a page lacks, or that it is missing or too long."""
    if not file.is_file():
        return ["there is none"]
    lines = file.read_text(encoding="utf-8").splitlines()
    # A section is a heading, or a paragraph that opens with its name in bold.
    opened = {
        line.lstrip("#* ").partition("**")[0].strip().casefold() for line in lines if line.startswith(("#", "**"))
    }
    return [f"no {section}" for section in sections if section not in opened] + ["too long"] * (len(lines) > longest)
