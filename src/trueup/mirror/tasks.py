"""What the worker runs for the mirror."""

from __future__ import annotations

from trueup.mirror.backfill.errand import ERRAND as BACKFILL
from trueup.mirror.backfill.gaps import ERRAND as GAPS
from trueup.mirror.drain import DRAIN, remake, settle
from trueup.mirror.fetcher import ERRAND
from trueup.mirror.fetching import want_doubtful
from trueup.mirror.replay.errand import ERRAND as REPLAY
from trueup.runtime import errands, topics

topics.subscribe(DRAIN)
topics.heal(remake)
topics.heal(settle)
topics.heal(want_doubtful)
errands.subscribe(ERRAND)
errands.subscribe(REPLAY)
errands.subscribe(BACKFILL)
errands.subscribe(GAPS)
