"""A witness that is asked about a larger and larger log until it is killed; prints each size that it has cosigned."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.audit.notes.keyring import LOG, ORIGIN
from tests.audit.witnesses.logs import Tree
from trueup.audit.witnesses.state import Cosigned, Witness


def main() -> None:
    """Go on from what the witness knows."""
    witness = Witness(Path(sys.argv[1]))
    known = witness.known(ORIGIN)
    size = known.size if known else 0
    while size < 2_000:
        outcome = witness.add_checkpoint(Tree().request(size, size + 1), logs=(LOG.key,))
        assert isinstance(outcome, Cosigned)
        size += 1
        sys.stdout.write(f"{size}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
