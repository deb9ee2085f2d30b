"""Simulated studies, made once for all tests of the package."""

import pytest

from data.simulated.raw import sound_study


@pytest.fixture(scope="session")
def root(tmp_path_factory):
    """Give the folder of the studies without faults."""
    return tmp_path_factory.mktemp("simulated")


@pytest.fixture(scope="session")
def small(root):
    """Give a study of 400 persons without faults."""
    return sound_study(root, 400)


@pytest.fixture(scope="session")
def large(root):
    """Give a study of 30,000 persons without faults."""
    return sound_study(root, 30_000)
