"""What happens at Stripe while an answer is on its way: it is later than the answer, whatever the clock then shows."""

from __future__ import annotations

import http.client
import json
from email.utils import parsedate_to_datetime

from trueup.sandbox import Sandbox
from trueup.sandbox.server.requests import Request


def test_what_happens_while_an_answer_is_on_its_way_is_not_in_it(sandbox: Sandbox) -> None:
    customer, begun = sandbox.request("POST", "/v1/customers", {"name": "Ada"}), sandbox.now
    asked: list[str] = []

    def meanwhile(request: Request) -> None:
        asked.append(request.path)
        sandbox.on_the_way = None
        sandbox.advance(days=3)
        sandbox.request("POST", f"/v1/customers/{customer['id']}", {"name": "Bea"})

    sandbox.on_the_way = meanwhile
    connection = http.client.HTTPConnection("127.0.0.1", sandbox.port, timeout=30)
    connection.request("GET", f"/v1/customers/{customer['id']}", headers={"Authorization": f"Bearer {sandbox.api_key}"})
    with connection.getresponse() as response:
        told, dated = json.loads(response.read()), parsedate_to_datetime(response.headers["date"])
    connection.close()

    assert (told["name"], sandbox.request("GET", f"/v1/customers/{customer['id']}")["name"]) == ("Ada", "Bea")
    assert dated.timestamp() == begun
    assert asked == [f"/v1/customers/{customer['id']}"]
