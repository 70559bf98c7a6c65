"""Steps that were recorded against Stripe: the request, its answer, and the script that they are of."""

from __future__ import annotations

import csv
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

Json = dict[str, Any]

_REPOSITORY: Final = "pay-rails/pay"
_REQUEST: Final = re.compile(r"(GET|POST|DELETE) (\S+?)(?:[?&](\S*))? (\S*)? ?-> (\d+)")


@dataclass(frozen=True)
class Step:
    """One recorded request with its answer.

    ``script`` is the test that made it, the same for every time that the test ran; ``place`` is where it stood in one
    of those runs. ``params`` are the pairs of its query and its form, decoded.
    """

    file: str
    script: str
    place: str
    version: str
    method: str
    path: str
    params: tuple[tuple[str, str], ...]
    status: int
    answer: Json

    @property
    def name(self) -> str:
        """What a report calls it."""
        return f"{self.script}/{self.place} {self.method} {self.path}"

    def param(self, name: str) -> str | None:
        """The value of a parameter, None where it is not among them."""
        return dict(self.params).get(name)


def corpus() -> Path:
    """The folder of recordings: of ``TRUEUP_SHARED``, by default ``../shared`` beside the checkout."""
    named = os.environ.get("TRUEUP_SHARED", "")
    shared = Path(named).expanduser() if named else Path(__file__).resolve().parents[4] / "shared"
    return shared / "stripe" / "corpus"


def steps(folder: Path) -> Iterator[Step]:
    """Every recorded step, in the order of the index."""
    with (folder / "INDEX.csv").open(encoding="utf-8", newline="") as opened:
        for row in csv.DictReader(opened):
            asked = _REQUEST.fullmatch(row["request"].strip())
            if row["repo"] != _REPOSITORY or asked is None:
                continue
            method, path, query, form, status = asked.groups()
            pairs = parse_qsl(query or "", keep_blank_values=True) + parse_qsl(form or "", keep_blank_values=True)
            file = Path(row["file"])
            yield Step(
                file=row["file"],
                script=file.parent.name,
                place=file.name.split(".")[0],
                version=row["api_version"],
                method=method,
                path=unquote(path),
                params=tuple(pairs),
                status=int(status),
                answer=json.loads((folder / file).read_bytes()),
            )
