"""``python -m tests.sandbox.conformance [--shrink] [PART OF A NAME]``: run recorded steps, print what came of it.

``--shrink`` takes out of ``differences.json`` what differs no more.
"""

from __future__ import annotations

import sys

from tests.sandbox.conformance import recordings, report
from tests.sandbox.conformance.running import run


def main(arguments: list[str]) -> int:
    """0 where all is as the file of differences says."""
    shrinking = "--shrink" in arguments
    wanted = [argument for argument in arguments if argument != "--shrink"]
    chosen = (step for step in recordings.steps(recordings.corpus()) if all(part in step.name for part in wanted))
    found = report.gather(map(run, chosen))
    sys.stdout.write(found.table() + "\n")
    if wanted:
        return 0
    if shrinking:
        report.shrink(found)
    faults = report.faults(found, report.known())
    sys.stdout.write("".join(f"{fault}\n" for fault in faults))
    return 0 if found.enough and not faults else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
