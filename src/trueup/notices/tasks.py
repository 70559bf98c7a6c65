"""What the worker runs for notices."""

from __future__ import annotations

from trueup.notices.drain import DRAIN, trials_ending
from trueup.notices.sending import ERRAND
from trueup.notices.service import tidy
from trueup.runtime import errands, topics

topics.subscribe(DRAIN)
topics.heal(trials_ending)
topics.heal(tidy)
errands.subscribe(ERRAND)
