"""A process that plays seeds: it reads plans from its standard input and answers what each came to, a line each.

Started by ``trueup simulate`` with a database of its own, which it empties before each seed.
"""

from __future__ import annotations

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trueup.config.settings")
# It does a worker's work, with the connection of one.
os.environ.setdefault("TRUEUP_PROCESS", "worker")
django.setup()

import trueup.customer.tasks  # noqa: E402 - Django has to be set up before tables are imported
import trueup.mirror.tasks  # noqa: E402, F401
from trueup.ops.simulation import serving  # noqa: E402

if __name__ == "__main__":
    serving.main()
