"""What the worker runs for the audit log."""

from __future__ import annotations

from trueup.audit import former
from trueup.audit.anchors import sending
from trueup.audit.sealing import sequencer
from trueup.audit.verifying import asked
from trueup.audit.witnesses import asking
from trueup.runtime import errands, topics
from trueup.runtime.errands import Errand

topics.heal(former.move)

# Nothing wakes it: whoever records pays for no notification, and a second is what it may take.
errands.subscribe(Errand(name="audit.seal", topic="audit", run=sequencer.seal_paced, idle_seconds=1.0))
errands.subscribe(Errand(name="audit.witness", topic="audit", run=asking.ask, idle_seconds=5.0))
errands.subscribe(Errand(name="audit.anchor", topic="audit", run=sending.send, idle_seconds=30.0))
errands.subscribe(Errand(name="audit.check", topic=asked.TOPIC, run=asked.run, idle_seconds=10.0))
