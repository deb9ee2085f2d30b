"""What tests of readers share."""

import pytest

from evaluate.data.readers import encoding, rows


@pytest.fixture(params=[None, 40], ids=["one block", "small blocks"])
def blocks(request, monkeypatch):
    """Read in blocks of the usual size, and in so small ones that a file has many."""
    if request.param:
        monkeypatch.setattr(encoding, "BLOCK", request.param)
        monkeypatch.setattr(rows, "CHUNK", 300)
        monkeypatch.setattr(rows, "SLOW_ROWS", 3)
