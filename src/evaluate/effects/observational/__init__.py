"""Effects where there was no lottery: estimators that rest on what was measured."""
