"""One recorded step run alone: what has to be there is made, the request is sent, the answers are compared."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.sandbox.conformance.comparing import Leaf, compare
from tests.sandbox.conformance.recordings import Json, Step
from tests.sandbox.conformance.scripts import CONNECT, OUT_OF_SCOPE
from tests.sandbox.conformance.stage import Stage, Stumbled, Underivable, objects, shape
from trueup.mirror.upcast import upcast


@dataclass
class Outcome:
    """A step that was run, with every leaf; or one that was not, with the reason."""

    step: Step
    leaves: list[Leaf] = field(default_factory=list)
    skipped: str | None = None
    ours: Json = field(default_factory=dict)


def run(step: Step) -> Outcome:
    """Run a step in a sandbox of its own. What is out of scope, or lacks its preconditions, says so."""
    skipped = _out_of_scope(step)
    if skipped:
        return Outcome(step, skipped=skipped)
    stage = Stage(step)
    recorded = newest(step.answer)
    try:
        status, ours = stage.answer()
    except Underivable as error:
        return Outcome(step, skipped=str(error))
    except Stumbled as error:
        return Outcome(step, leaves=_all_differ(stage, recorded, str(error)))
    finally:
        stage.engine.close()
    if status != step.status:
        told = ours.get("error", {}).get("message", "")
        return Outcome(step, leaves=_all_differ(stage, recorded, f"{status} {told}".rstrip()), ours=ours)
    return Outcome(step, leaves=list(compare(recorded, ours, names=stage.names, version=step.version)), ours=ours)


def _all_differ(stage: Stage, recorded: Json, why: str) -> list[Leaf]:
    """A step that did not come to an answer: one line says why, and each recorded leaf counts as different."""
    request = f"{stage.step.method} {shape(stage.step.path)}"
    missed = len(list(compare(recorded, {}, names=stage.names, version=stage.step.version)))
    kind = str(recorded.get("object", "error"))
    return [Leaf(kind, request, "value", equal=False, recorded=str(stage.step.status), ours=why)] * max(missed, 1)


def newest(value: Any) -> Any:
    """A recorded answer with every object in it in the newest shape."""
    if isinstance(value, list):
        return [newest(one) for one in value]
    if not isinstance(value, dict):
        return value
    parts = {key: newest(one) for key, one in value.items()}
    return upcast(parts["object"], parts) if isinstance(parts.get("object"), str) else parts


def _out_of_scope(step: Step) -> str | None:
    for path, why in OUT_OF_SCOPE.items():
        if step.path.startswith(path):
            return why
    connected = {name for one in objects(step.answer) for name in CONNECT if one.get(name) is not None}
    return f"Connect: {min(connected)} is set" if connected else None
