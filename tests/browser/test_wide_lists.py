"""Lists whose rows are all as wide as any of them: a page that fits by the luck of what it shows does not fit.

The rows of the pages that follow are put into the table of the first: each column is as wide as its widest value.
"""

from __future__ import annotations

import pytest

from tests.browser.conftest import ContextMaker, open_when
from tests.browser.test_accessible import LINT, full_at

__all__ = ["full_at"]
pytestmark = pytest.mark.timeout(300)

LISTS = (
    "/home/sales",
    "/customers",
    "/customers?stage=trialing",
    *(f"/money/{kind}" for kind in ("payments", "invoices", "refunds", "disputes")),
    "/money/failed?days=any",
    "/money/ahead",
    "/events",
    "/audit",
    "/audit/access",
)
WIDTHS = (1440, 1340, 1280, 1190, 1140, 1040, 940, 840, 740, 690, 590, 440, 390)
ALL_ROWS = """async (most) => {
  const body = document.querySelector('main .tbl tbody');
  let next = document.querySelector('a[rel=next]'), pages = 1;
  while (next && pages < most) {
    const text = await (await fetch(next.href)).text(), page = new DOMParser().parseFromString(text, 'text/html');
    for (const row of page.querySelectorAll('main .tbl tbody tr')) body.append(document.adoptNode(row));
    next = page.querySelector('a[rel=next]');
    pages += 1;
  }
  // Nobody in the demo has this name, and a colleague of yours may.
  for (const name of document.querySelectorAll('td.col-owner, .actor span')) {
    name.textContent = 'Maximiliane von Hohenlohe';
  }
  // What somebody looked at depends on the tests before this one.
  for (const chip of document.querySelectorAll('.entries td.wrap .chip')) chip.lastChild.data = 'Rohdaten';
  for (const thing of document.querySelectorAll('td.col-thing code')) {
    thing.textContent = 'subscription_schedule:sub_sched_1PQRsTuVwXyZaBcDeFgHiJkLm';
  }
  // All that the demo did was lately; lists are read in another year.
  for (const at of document.querySelectorAll('td time')) {
    if (/^\\d\\d:/.test(at.textContent)) at.prepend('29.\\u00a0Sept.\\u00a02025, ');
    if (/^\\d\\d?\\.? \\p{L}+\\.?$/u.test(at.textContent)) at.append(' 2025');
  }
  return pages;
}"""


@pytest.mark.usefixtures("full_at")
@pytest.mark.parametrize("locale", ["de-DE", "en-GB"])
def test_the_widest_value_of_every_column_has_room(open_context: ContextMaker, locale: str, dispute: str) -> None:
    page = open_context(locale=locale, reduced_motion="reduce")
    open_when(page, "/money/disputes", lambda _answer: page.locator("#list tbody tr", has_text=dispute).count())
    wrong, followed = [], 0
    for address in LISTS:
        answer = page.goto(address)
        assert answer is not None, address
        assert answer.ok, address
        followed += page.evaluate(ALL_ROWS, 6) - 1
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            wrong += [f"{address} at {width}: {one}" for one in page.evaluate(LINT)]

    assert followed, "no list had a second page"
    assert not wrong, "\n".join(wrong)
