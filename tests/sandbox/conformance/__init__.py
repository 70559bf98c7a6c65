"""The sandbox held against answers that Stripe gave: each recorded step is run alone, and its answer compared.

``scripts`` says what has to be there before a step, ``stage`` makes it in a sandbox of the step's own, ``comparing``
compares leaf by leaf, ``exempt`` says what cannot be compared and why. What differs is in ``differences.json``, which
may only shrink; ``python -m tests.sandbox.conformance`` prints all of it.
"""
