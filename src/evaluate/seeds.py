"""One seed in the configuration, and from it a generator for each place that draws."""

from __future__ import annotations

import zlib

import numpy as np


def generator(seed: int, *names: str) -> np.random.Generator:
    """Return the generator of a programme's rule: the same draws in every run."""
    place = [zlib.crc32(name.encode()) for name in names]
    return np.random.default_rng(np.random.SeedSequence([seed, *place]))
