"""What processes are told that are started by others: every setting of an installation, and none of another's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from trueup.ops.commands import processes
from trueup.ops.simulation import running
from trueup.runtime import configuration

SET = {
    "port": 8123,
    "host": "127.0.0.2",
    "identity_keys": "user_id=user,sf_id=crm:salesforce",
    "metadata_rules": "user_id:required;user_id:unique",
    "stripe_limit_live": 17,
    "stripe_limit_test": 7,
    "stripe_limit_endpoint": 5,
    "stripe_limit_elsewhere": 77,
    "reconcile_hour": -1,
    "reconcile_repair": False,
    "backup_keep": 3,
    "backup_dir": "/srv/backups",
    "allowed_hosts": "billing.example",
    "trusted_proxies": "10.0.0.1",
    "log_level": "debug",
    "database_url": "postgresql://127.0.0.1:1/named",
}


@pytest.fixture
def in_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An installation whose settings are in a file, and not in the environment."""
    for name in configuration.VARIABLES.values():
        monkeypatch.delenv(name, raising=False)
    values = {
        name: str(value).lower() if isinstance(value, bool | int) else f'"{value}"' for name, value in SET.items()
    }
    path = tmp_path / "named.toml"
    path.write_text("".join(f"{name} = {value}\n" for name, value in values.items()), encoding="utf-8")
    monkeypatch.setenv("TRUEUP_CONFIG", str(path))
    monkeypatch.setenv("TRUEUP_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DATABASE_URL", str(SET["database_url"]))
    configuration.current.cache_clear()
    yield path
    configuration.current.cache_clear()


def test_children_have_every_setting_that_their_parent_has(in_file: Path) -> None:
    ours = configuration.current()

    told = processes.child_environment()

    assert {name: getattr(ours, name) for name in SET} == SET | {"backup_dir": Path("/srv/backups")}
    assert set(configuration.VARIABLES.values()) <= set(told)
    assert configuration.load(told) == ours


def test_a_simulation_knows_nothing_of_the_installation_that_started_it(
    in_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRUEUP_BACKUP_DIR", "/srv/backups")
    monkeypatch.setenv("TRUEUP_IDENTITY_KEYS", "user_id=user")

    told = running.surroundings("postgresql://127.0.0.1:2/simulated", tmp_path / "simulated")

    found = configuration.load(told)
    assert (found.database_url, found.home) == ("postgresql://127.0.0.1:2/simulated", tmp_path / "simulated")
    assert (found.backup_dir, found.host, found.identity_keys) == (None, "127.0.0.1", "user_id=user")
    # What is started without an address has the embedded server of its home, and nobody else's.
    assert configuration.load(told | {"DATABASE_URL": ""}).database_url == ""
    assert told["PATH"] == os.environ["PATH"]
