"""Lives that are read, too: objects and pages of them, slowly, and by whoever knows a part of what was told."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence

from typing_extensions import override

from tests.flow.histories import START, STEPS, VERSIONS, Key, World
from tests.instance import Json
from trueup.mirror.rules import READ


class ReadWorld(World):
    """A small Stripe whose API is asked, too; what it answers is told as the log holds it."""

    @override
    def steps(self) -> Sequence[Callable[[World], None]]:
        """What happens, and readings of it."""
        readings: list[Callable[[World], None]] = [lambda _world: self.read()] * 3
        return (*STEPS, *readings, lambda _world: self.listed())

    def read(self) -> None:
        """One object is read as it is now, or is found to be gone."""
        keys = sorted((*self.objects, *self.gone))
        if keys:
            self._read(self.pick(keys), started=self._started())

    def listed(self) -> None:
        """A page of a list is read: what is gone is not on it."""
        keys = sorted(self.objects)
        if keys:
            object_type, started = self.pick(keys)[0], self._started()
            for key in keys:
                if key[0] == object_type:
                    self._read(key, started=started)

    def _started(self) -> int:
        """When the reading began that is answered now: nearly always just before."""
        return max(START, self.now - self.pick((0, 0, 0, 0, 1, 2, 3_600)))

    def _read(self, key: Key, *, started: int) -> None:
        """What a reading gave, and which facts of its second it knew: any of those that had been told."""
        self.count += 1
        earlier = [one for one in self.told if one["created"] == started and named_in(one) == key]
        told = self.objects.get(key)
        made = self.gone[key]["created"] if told is None and self.pick((True, False)) else None
        envelope = {
            "id": f"read_{self.count:04d}",
            "object": READ,
            "type": READ,
            "created": started,
            "livemode": False,
            "api_version": self.pick(VERSIONS),
            "data": {"object": copy.deepcopy(told) or {"object": key[0], "id": key[1], "deleted": True}},
            "read": {"after": [one["id"] for one in earlier if self.pick((True, True, False))], "made": made},
        }
        self.told.append(envelope)


def named_in(told: Json) -> Key:
    """The type and id of the object that an event or a reading is about."""
    about = told["data"]["object"]
    return about["object"], about["id"]
