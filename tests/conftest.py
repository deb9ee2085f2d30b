"""What all tests share: the same examples in every run, however busy the machine is."""

import os

import postgres
import pytest
from hypothesis import settings

settings.register_profile("tests", deadline=None, derandomize=True)
settings.load_profile("tests")


@pytest.fixture(scope="session")
def postgresql():
    """Run a PostgreSQL server for the tests of one worker, and give its address."""
    programs = postgres.programs()
    if programs is None:
        absent = "PostgreSQL is not installed: apt-get install postgresql"
        pytest.fail(absent) if os.environ.get("CI") else pytest.skip(absent)
    with postgres.server(programs) as address:
        yield address
