"""A world: what is changed is told, what fails is undone, what is asked twice comes out the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sandbox.conftest import Api
from trueup.sandbox.server.engine import Engine
from trueup.sandbox.server.requests import Request

DAY = 86_400


def test_a_customer_is_made_told_and_found(api: Api) -> None:
    made = api.post("/v1/customers", email="a@example.com", name="Ada", metadata={"user_id": "7"})

    assert made["id"].startswith("cus_")
    assert made["metadata"] == {"user_id": "7"}
    assert api.types() == ["customer.created"]
    assert api.get(f"/v1/customers/{made['id']}") == made


def test_a_change_tells_what_was_before(api: Api) -> None:
    made = api.post("/v1/customers", email="a@example.com", metadata={"user_id": "7"})
    api.events()

    api.post(f"/v1/customers/{made['id']}", name="Ada", metadata={"plan": "pro", "user_id": ""})

    (event,) = api.events()
    assert event["type"] == "customer.updated"
    assert event["data"]["previous_attributes"] == {"name": None, "metadata": {"plan": None, "user_id": "7"}}
    assert event["request"]["id"].startswith("req_")


def test_a_change_of_nothing_tells_nothing(api: Api) -> None:
    made = api.post("/v1/customers", name="Ada")
    api.events()

    api.post(f"/v1/customers/{made['id']}", name="Ada")

    assert api.types() == []


def test_a_deleted_customer_leaves_a_stub(api: Api) -> None:
    made = api.post("/v1/customers", name="Ada")

    gone = api.delete(f"/v1/customers/{made['id']}")

    assert gone == {"id": made["id"], "object": "customer", "deleted": True}
    assert api.get(f"/v1/customers/{made['id']}") == gone
    assert api.get("/v1/customers")["data"] == []
    last = api.events()[-1]
    assert (last["type"], last["data"]["object"]["name"]) == ("customer.deleted", "Ada")
    assert api.post(f"/v1/customers/{made['id']}", error=True, name="Eva")["code"] == "resource_missing"


def test_lists_go_newest_first_in_pages(api: Api) -> None:
    ids = [api.post("/v1/customers", name=str(n))["id"] for n in range(5)]

    first = api.get("/v1/customers", limit=2)
    second = api.get("/v1/customers", limit=2, starting_after=first["data"][-1]["id"])
    back = api.get("/v1/customers", limit=2, ending_before=second["data"][0]["id"])

    assert [c["id"] for c in first["data"] + second["data"]] == ids[:0:-1]
    assert (first["has_more"], back["data"]) == (True, first["data"])
    assert api.get("/v1/customers", error=True, limit=101)["param"] == "limit"


@pytest.mark.parametrize(
    ("path", "params", "message"),
    [
        ("/v1/customers", {"nam": "x"}, "Received unknown parameter: nam"),
        ("/v1/customers", {"balance": "x"}, "Invalid integer: x"),
        ("/v1/none", {}, "Unrecognized request URL (POST: /v1/none)."),
        ("/v1/customers/cus_none", {}, "No such customer: 'cus_none'"),
    ],
)
def test_refusals_have_stripes_words(api: Api, path: str, params: dict[str, str], message: str) -> None:
    assert api.post(path, error=True, **params)["message"].startswith(message)


def test_a_key_is_needed_and_has_to_be_a_test_key(engine: Engine) -> None:
    nobody = engine.answer(Request(method="GET", path="/v1/customers"))
    live = engine.answer(Request(method="GET", path="/v1/customers", headers={"authorization": "Bearer sk_live_1"}))

    assert (nobody.status, live.status) == (401, 401)
    assert b"did not provide an API key" in nobody.body


def test_a_request_that_comes_again_is_done_once(api: Api) -> None:
    first = api.post("/v1/customers", key="k", name="Ada")
    again = api.post("/v1/customers", key="k", name="Ada")
    other = api.post("/v1/customers", key="k", name="Eva", error=True)
    api.advance(DAY)
    later = api.post("/v1/customers", key="k", name="Ada")

    assert first == again
    assert other["type"] == "idempotency_error"
    assert later["id"] != first["id"]
    assert len(api.get("/v1/customers")["data"]) == 2


def test_expanding_what_cannot_be_is_refused(api: Api) -> None:
    made = api.post("/v1/customers", name="Ada", expand=["tax"])

    assert made["tax"]["automatic_tax"] == "unrecognized_location"
    assert "cannot be expanded" in api.get(f"/v1/customers/{made['id']}", expand=["name"], error=True)["message"]


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    def run(path: Path | None, seed: str) -> list[bytes]:
        engine = Engine(path, seed=seed)
        api = Api(engine)
        answers = [api.answer("POST", "/v1/customers", {"name": str(n)}).body for n in range(3)]
        stored = [row[0] for row in engine.store.db.execute("select body from event order by seq")]
        engine.close()
        return answers + stored

    first = run(None, "seven")

    assert run(tmp_path / "state.db", "seven") == first
    assert run(None, "eight") != first


def test_a_sandbox_goes_on_where_it_stopped(tmp_path: Path) -> None:
    first = Engine(tmp_path / "state.db", seed="seven")
    ada = Api(first).post("/v1/customers", name="Ada")
    first.advance(first.now() + DAY)
    then = first.now()
    first.close()

    second = Engine(tmp_path / "state.db")
    api = Api(second)

    assert (second.now(), second.seed) == (then, "seven")
    assert api.get(f"/v1/customers/{ada['id']}") == ada
    assert api.post("/v1/customers", name="Eva")["id"] != ada["id"]
    second.close()
    with pytest.raises(ValueError, match="holds a sandbox of seed 'seven'"):
        Engine(tmp_path / "state.db", seed="eight")


@pytest.mark.parametrize("end", ["closed", "saved"])
def test_no_id_comes_twice_after_requests_that_changed_nothing(tmp_path: Path, end: str) -> None:
    def asked(engine: Engine) -> list[str]:
        request = Request(method="GET", path="/v1/nothing", headers={"authorization": "Bearer sk_test_x"})
        return [engine.answer(request).headers["request-id"] for _ in range(3)]

    one, path = Engine(tmp_path / "world.db"), tmp_path / "world.db"
    first = asked(one)
    if end == "saved":
        path = tmp_path / "saved.db"
        one.save(path)
    one.close()
    other = Engine(path)
    second = asked(other)
    other.close()

    assert len({*first, *second}) == 6


def test_time_goes_forward_only(engine: Engine) -> None:
    with pytest.raises(ValueError, match="cannot be turned back"):
        engine.advance(engine.now() - 1)
