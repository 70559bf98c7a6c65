"""What a long-lived process needs: to end when its parent is gone, and not to pause for what it loaded at its start."""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import sys
from collections.abc import Sequence
from typing import Final

PARENT: Final = "TRUEUP_PARENT"
"""Names the supervisor's process id to a child it started."""
PR_SET_PDEATHSIG: Final = 1
YOUNG_OBJECTS: Final = 20_000


def follow_parent() -> None:
    """Ask the kernel for SIGTERM when the supervisor that started this process dies.

    Does nothing for a process started by hand.
    """
    parent = os.environ.pop(PARENT, "")
    if not parent.isdigit() or not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != int(parent):
        # The parent died between the start and the request.
        sys.exit(0)


_FOLLOWER: Final = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGTERM, 0, 0, 0)
if os.getppid() != int(sys.argv[1]):
    sys.exit(1)
os.execv(sys.argv[2], sys.argv[2:])
"""


def ending_with_us(words: Sequence[str]) -> list[str]:
    """The command that runs ``words``, a program of others, so that it gets SIGTERM when the thread starting it ends.

    On Linux; elsewhere the words as they are.
    """
    if not sys.platform.startswith("linux"):
        return list(words)
    return [sys.executable, "-I", "-S", "-c", _FOLLOWER, str(os.getpid()), *words]


def settle() -> None:
    """Tell the garbage collector that what is loaded by now stays, so that it looks at what comes and goes only.

    Without it a full collection walks all of Django every few hundred events, and whoever is under way waits for it.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 20, 50)
