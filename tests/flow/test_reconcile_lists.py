"""Reconciling objects that were read in parts: a list that was completed is no damage."""

from __future__ import annotations

import threading

from tests.flow.beside import beside
from tests.instance import TESTER
from trueup.customer import reconcile
from trueup.mirror.reconcile import service


def test_an_invoice_whose_lines_were_completed_is_as_stripe_has_it(database: str) -> None:
    with beside(database, seed="lists") as stripe:
        customer = stripe.post("/v1/customers", name="Ada")["id"]
        invoice = stripe.post("/v1/invoices", customer=customer, collection_method="send_invoice", days_until_due=30)
        for _ in range(12):
            stripe.post("/v1/invoiceitems", customer=customer, invoice=invoice["id"], amount=100, currency="usd")
        stripe.sandbox.wait_delivered()
        stripe.fetch()

        run = service.start(account=stripe.account, grace=0, patience=0, by=TESTER)
        reconcile.run_here(run.id, stop=threading.Event(), threads=1)

        assert [(one.type, one.fields) for one in service.of_run(run.id) if one.type == "invoice"] == []
