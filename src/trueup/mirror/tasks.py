"""What the worker runs for the mirror."""

from __future__ import annotations

from trueup.mirror.drain import DRAIN, remake, settle
from trueup.runtime import topics

topics.subscribe(DRAIN)
topics.heal(remake)
topics.heal(settle)
