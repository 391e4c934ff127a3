"""The product in a process of its own, for client libraries as they are published.

With STADTHERZ_ENGINE it keeps its city in a PostgreSQL database of its own, which is made anew.
"""

import os
from collections.abc import Iterator

import psycopg
import pytest

from tests.product import Product


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    engine = os.environ.get("STADTHERZ_ENGINE", "")
    own = {"STADTHERZ_ENGINE": _fresh(engine)} if engine.startswith("postgresql:") else {}
    product = Product(tmp_path_factory.mktemp("clients"), environment=own).start()
    yield product
    product.kill()


@pytest.fixture
def token(served: Product) -> str:
    found: str = served.facts["admin_token"]
    return found


def _fresh(engine: str) -> str:
    """The address of an empty database beside the one that is named."""
    server, _, name = engine.rpartition("/")
    own = psycopg.sql.Identifier(f"{name}_clients")
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        drop = psycopg.sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        connection.execute(drop.format(own))
        connection.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(own))
    return f"{server}/{name}_clients"
