"""What the worker runs for the inbox."""

from __future__ import annotations

from trueup.inbox.sweep import service as sweeps
from trueup.inbox.sweep.types import TOPIC
from trueup.runtime import errands
from trueup.runtime.errands import Errand

errands.subscribe(Errand(name="event_sweep", topic=TOPIC, run=sweeps.run, threads=2))
