"""Providers of the field sign somebody in: ``oidc-provider-mock``, and npm's ``samlp`` where there is node and samlp.

``npm install samlp`` in some folder, and name its ``node_modules`` in ``TRUEUP_NODE_MODULES``.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from django.test import Client

from tests.operators.sso import saml_provider
from tests.operators.sso.oidc_provider import CLIENT, SECRET
from tests.web.console.test_sso_oidc import BY, is_in
from tests.web.console.test_sso_saml import bring, connect
from trueup.operators.sso import service as sso
from trueup.operators.sso.types import Given, Kind, Without
from trueup.operators.types import Person

SCRIPT = Path(__file__).parents[2] / "operators" / "sso" / "samlp.cjs"


@contextmanager
def samlp(*, sign_response: bool) -> Iterator[str]:
    """The address of the provider's page."""
    modules = os.environ.get("TRUEUP_NODE_MODULES", "")
    node = shutil.which("node")
    if node is None or not (Path(modules) / "samlp").is_dir():
        pytest.skip("There is no node, or no samlp in TRUEUP_NODE_MODULES.")
    key, cert = saml_provider.key("idp")
    given = json.dumps({"key": key, "cert": cert, "signResponse": sign_response})
    env = os.environ | {"NODE_PATH": modules}
    process = subprocess.Popen([node, str(SCRIPT), given], stdout=subprocess.PIPE, text=True, env=env)
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/samlp"
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


@pytest.mark.parametrize("sign_response", [False, True])
def test_samlp_signs_somebody_in(visitor: Client, person: Person, *, sign_response: bool) -> None:
    with samlp(sign_response=sign_response) as page:
        connection = connect(metadata=saml_provider.metadata(page=page))
        sent = visitor.get(f"/sign-in/sso/{connection.id}")["Location"]
        assert urlsplit(sent).netloc == urlsplit(page).netloc
        answer = requests.get(sent, timeout=20)

    assert answer.status_code == 200, answer.text
    assert bring(visitor, connection, answer.text)["Location"] == "/"
    assert is_in(visitor)


@pytest.mark.usefixtures("near")
def test_oidc_provider_mock_signs_somebody_in(visitor: Client, person: Person) -> None:
    with warnings.catch_warnings():
        # It uses modules that its own libraries will drop.
        warnings.simplefilter("ignore")
        mock = import_module("oidc_provider_mock")

        users = [mock.User(sub=person.email, claims={"email": person.email, "email_verified": True})]
        with mock.run_server_in_thread(user_claims=users) as server:
            url = f"http://localhost:{server.server_port}"
            given = Given(
                name="Mock",
                kind=Kind.OIDC,
                issuer=url,
                client_id=CLIENT,
                client_secret=SECRET,
                domains=("acme.example",),
                without_group=Without.KEEP,
            )
            connection = sso.add(given=given, by=BY)
            sso.switch_on(connection_id=connection.id, by=BY)
            sent = visitor.get(f"/sign-in/sso/{connection.id}")
            page = requests.post(sent["Location"], {"sub": person.email}, allow_redirects=False, timeout=10)
            back = urlsplit(page.headers["Location"])
            answer = visitor.get(back.path, dict(parse_qsl(back.query)))

    assert answer["Location"] == "/"
    assert is_in(visitor)
