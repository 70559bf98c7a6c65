"""What can go wrong with accounts."""

from __future__ import annotations

from trueup.kernel.errors import Conflict, NotFound, Refused, Unavailable


class AccountUnknown(NotFound):
    """No account has this slug or id."""

    code = "account_unknown"


class AccountExists(Conflict):
    """The slug is taken by an account in another mode."""

    code = "account_exists"


class ApiKeyInvalid(Refused):
    """The key is no Stripe key, or of the wrong kind for what is asked."""

    code = "api_key_invalid"


class WebhookSecretInvalid(Refused):
    """The signing secret is no Stripe signing secret."""

    code = "webhook_secret_invalid"


class ApiKeyMissing(Refused):
    """The account has no API key, so nothing can be asked of Stripe."""

    code = "api_key_missing"


class AccountMismatch(Conflict):
    """The API key is of another Stripe account than the one that is known: what it reads says nothing of this one."""

    code = "account_mismatch"


class CallBudgetSpent(Unavailable):
    """So many calls are made to Stripe that this one did not get its turn in time; nothing was asked."""

    code = "call_budget_spent"
