"""What is said of a provider's answer that lets nobody in, and what to do about it."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy as _

from trueup.operators.sso.types import Reason
from trueup.web.console.team_words import Named

_AGAIN: Final = _("Start again from the sign-in page.")
_SET_UP: Final = _("Whoever set up single sign-on can look at it below Settings, Single sign-on, and try it there.")
_TELL: Final = _("If you did not do anything unusual, tell whoever runs Trueup: somebody may be trying to get in.")

REASONS: Final[dict[Reason, Named]] = {
    Reason.UNSOLICITED: Named(
        label=_("Nobody here asked for this sign-in."),
        hint=_("Tiles on the page of your provider do not work; start from the sign-in page of Trueup."),
    ),
    Reason.REPLAYED: Named(label=_("This sign-in was used already."), hint=_AGAIN),
    Reason.OTHER_BROWSER: Named(
        label=_("This sign-in was begun in another browser, or too long ago."),
        hint=_("Start again from the sign-in page. Cookies have to be allowed for this address."),
    ),
    Reason.OTHER_PROVIDER: Named(label=_("The answer is of another provider than the one that was asked."), hint=_TELL),
    Reason.SWITCHED_OFF: Named(label=_("This way in is switched off."), hint=_("Sign in with your password.")),
    Reason.PROVIDER_REFUSED: Named(
        label=_("Your provider did not let you in."),
        hint=_("Whoever runs it may have to give you access to Trueup there."),
    ),
    Reason.PROVIDER_AWAY: Named(
        label=_("Your provider did not answer as it should."), hint=_("Try again in a moment.")
    ),
    Reason.MALFORMED: Named(label=_("The provider's answer cannot be read."), hint=_SET_UP),
    Reason.ENCRYPTED: Named(
        label=_("The provider's answer is encrypted."),
        hint=_("Switch the encryption of assertions off at the provider; the connection is encrypted as it is."),
    ),
    Reason.UNSIGNED: Named(
        label=_("The provider's answer is not signed."),
        hint=_("Let the provider sign assertions, or answers, or both."),
    ),
    Reason.SIGNATURE: Named(
        label=_("The signature of the answer is not the provider's."),
        hint=_("If its certificate was renewed, read its metadata again below Settings, Single sign-on."),
    ),
    Reason.WRAPPED: Named(label=_("The answer was put together from parts."), hint=_TELL),
    Reason.AUDIENCE: Named(label=_("The answer is for another application."), hint=_SET_UP),
    Reason.RECIPIENT: Named(label=_("The answer is for another address."), hint=_SET_UP),
    Reason.TOO_LATE: Named(
        label=_("The answer came too late."), hint=_("Start again. If it stays, compare the clocks of both servers.")
    ),
    Reason.TOO_EARLY: Named(
        label=_("The answer is not good yet."), hint=_("Start again. If it stays, compare the clocks of both servers.")
    ),
    Reason.NONCE: Named(label=_("The answer belongs to another sign-in."), hint=_TELL),
    Reason.NOT_FRESH: Named(
        label=_("The provider did not ask you again who you are."), hint=_("Sign out there, and start again.")
    ),
    Reason.SUBJECT_MISSING: Named(label=_("The answer has no lasting name for you."), hint=_SET_UP),
    Reason.SUBJECT_CHANGED: Named(
        label=_("Your address belongs to somebody whom the provider called otherwise."),
        hint=_("If that is you, whoever manages people can forget the old name on your page below Settings, Team."),
    ),
    Reason.EMAIL_MISSING: Named(label=_("The provider does not tell your email address."), hint=_SET_UP),
    Reason.EMAIL_UNVERIFIED: Named(
        label=_("The provider does not say that the email address is yours."),
        hint=_("Verify it there; for Entra ID, the claim xms_edov has to be sent."),
    ),
    Reason.DOMAIN: Named(
        label=_("This provider does not vouch for addresses of your domain."),
        hint=_("Sign in with your password, or with the provider of your domain."),
    ),
    Reason.NOT_INVITED: Named(
        label=_("Nobody has invited you yet."), hint=_("Ask whoever manages people in Trueup to invite your address.")
    ),
    Reason.NO_GROUP: Named(
        label=_("None of your groups gives you a role here."),
        hint=_("Ask whoever runs your provider to put you into a group that has one."),
    ),
    Reason.DEACTIVATED: Named(
        label=_("You may not sign in any more."), hint=_("Ask whoever manages people in Trueup.")
    ),
    Reason.OTHER_PERSON: Named(
        label=_("The provider knows you as somebody else than you are here."),
        hint=_("Sign out there, and start again as yourself."),
    ),
}
"""Why, and what to do."""
