"""Simulated register extracts: a lottery of offers with known effects, as an agency sends them."""
