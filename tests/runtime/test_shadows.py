"""Only one makes shadow tables at a time."""

from __future__ import annotations

import pytest

from trueup.kernel.errors import Conflict
from trueup.runtime import shadows


@pytest.mark.django_db
def test_whoever_comes_while_another_rebuilds_is_refused() -> None:
    with shadows.held(), pytest.raises(Conflict), shadows.held():
        pass

    with shadows.held():
        pass
