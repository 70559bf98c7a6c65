"""What the worker runs for customers."""

from __future__ import annotations

from trueup.customer import service
from trueup.customer.drain import DRAIN, mark_turned
from trueup.customer.healing import ERRAND
from trueup.runtime import errands, topics

topics.subscribe(DRAIN)
topics.heal(service.mark_outdated)
topics.heal(mark_turned)
errands.subscribe(ERRAND)
