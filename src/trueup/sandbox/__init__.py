"""A stateful local Stripe with a test clock: an HTTP server that the official SDKs drive unchanged.

``start()`` runs one in this process::

    with trueup.sandbox.start() as sandbox:
        client = stripe.StripeClient(sandbox.api_key, base_addresses=sandbox.addresses)
"""

from trueup.sandbox.server.running import Sandbox, start

__all__ = ["Sandbox", "start"]
