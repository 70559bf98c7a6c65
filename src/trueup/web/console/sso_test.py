"""What a provider said of whoever tried it, and what would come of it: nothing came of it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from trueup.operators.sso import signing_in
from trueup.operators.sso.types import Outcome
from trueup.web.console.settings.frame import show
from trueup.web.console.sso_words import REASONS
from trueup.web.console.team_words import ROLES


def page(request: HttpRequest, outcome: Outcome) -> HttpResponse:
    """The claims that came, the roles that they would give, and why they would not let in."""
    said, connection = outcome.said, outcome.connection
    held = set(said.groups)
    context = {
        "connection": connection,
        "said": said,
        "claims": signing_in.as_json(said.claims),
        "roles": [ROLES[role].label for role in outcome.roles],
        "person": outcome.person,
        "two_factors": outcome.two_factors,
        "reason": None if outcome.refused is None else REASONS[outcome.refused],
        "groups": [
            (group, [ROLES[role].label for role in roles]) for group, roles in connection.groups if group in held
        ],
        "unmapped": [group for group in said.groups if group not in {name for name, _roles in connection.groups}],
    }
    return show(request, "settings-sso", "sso_test.html", context)
