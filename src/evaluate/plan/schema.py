"""JSON schemas of the programme file and the configuration, for editors."""

from __future__ import annotations

import json

from evaluate.plan.config import Config
from evaluate.plan.model import Plan


def json_schemas() -> dict[str, str]:
    """Return the schemas as texts by file name."""
    models = {"programme.schema.json": Plan, "config.schema.json": Config}
    return {
        name: json.dumps(model.model_json_schema(), indent=2, ensure_ascii=False) + "\n"
        for name, model in models.items()
    }
