"""The page in an export that tells an auditor what it proves, what it does not, and how to check it."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from html import escape
from pathlib import Path
from string import Template
from typing import Final

from trueup.audit.anchors.sending import TIMESTAMP
from trueup.audit.exporting.files import Written
from trueup.audit.exporting.scope import Scope
from trueup.audit.exporting.values import Chosen
from trueup.kernel.modes import mode_name

PAGE: Final = Path(__file__).with_name("page.html")


def rendered(reach: Scope, chosen: Chosen, values: int, lost: int, verifier: Written) -> bytes:
    """The page: one file without scripts, for screens by day and night and for paper."""
    filled = {
        "origin": escape(reach.origin),
        "mode": mode_name(reach.livemode),
        "size": f"{reach.size:,}",
        "entries": f"{reach.size - reach.minimum:,}",
        "last": f"{reach.size - 1:,}",
        "minimum": f"{reach.minimum:,}",
        "root": base64.b64encode(reach.root).decode(),
        "checkpoint": escape(reach.checkpoint.decode()),
        "verifier": verifier.sha256,
        "log_keys": _items(reach.log_keys),
        "witness_keys": _items(reach.witness_keys) or "<li>None cosigned this checkpoint.</li>",
        "span": _span(reach),
        "redaction": _redaction(chosen, values, lost),
        "anchors": _anchors(reach),
    }
    return Template(PAGE.read_text(encoding="utf-8")).substitute(filled).encode()


def _span(reach: Scope) -> str:
    if not reach.minimum:
        return "It holds every entry from the very first one on."
    why = (
        "those before it were dropped at the end of their retention"
        if reach.minimum == reach.dropped
        else "those before it were left out of this export"
    )
    return (
        f"It begins with entry {reach.minimum:,}; {why}. Of these only hashes are here: they prove that the entries "
        "that are here stand where they stood, and tell nothing of those that are not."
    )


def _redaction(chosen: Chosen, values: int, lost: int) -> str:
    if chosen.nothing:
        return "<p>No personal value is disclosed in this export.</p>"
    if chosen.everything:
        what = "Every personal value that is left"
    else:
        whom = f" of {_codes(chosen.subjects)}" if chosen.subjects else ""
        where = f" in {_codes(chosen.fields)}" if chosen.fields else ""
        what = f"Personal values{whom}{where}"
    gone = f" {lost:,} of them can be opened by nobody any more." if lost else ""
    return (
        f"<p>{what} were chosen for this export: {values:,} are in <code>disclosures.jsonl</code>.{gone} "
        "All others are left out.</p>"
    )


def _anchors(reach: Scope) -> str:
    if not reach.anchors:
        return "<p>There are none in this export.</p>"
    stamps = [one for one in reach.anchors if one.kind == TIMESTAMP]
    rows = "".join(
        f"<tr><td><code>{escape(one.path)}</code></td><td>{one.size:,}</td><td>{escape(one.kind)}</td>"
        f"<td>{escape(one.destination)}</td><td>{one.made_at:%Y-%m-%d %H:%M:%S} UTC</td></tr>"
        for one in reach.anchors
    )
    how = (
        "<p>A timestamp is checked with OpenSSL and the certificate of the authority, which you have from itself:</p>"
        f"<pre>openssl ts -verify -in {escape(stamps[-1].path)} -data checkpoints/{stamps[-1].size} "
        "-CAfile authority.pem</pre>"
        if stamps
        else ""
    )
    head = "<tr><th>File</th><th>Entries</th><th>Kind</th><th>From</th><th>At</th></tr>"
    return f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>{how}"


def _items(lines: Iterable[str]) -> str:
    return "".join(f"<li><code>{escape(line)}</code></li>" for line in lines)


def _codes(words: Iterable[str]) -> str:
    return ", ".join(f"<code>{escape(word)}</code>" for word in words)
