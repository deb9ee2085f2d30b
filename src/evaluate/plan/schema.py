"""JSON schemas, for editors, of the files that a study is written in."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from evaluate.plan.closed import Closed
from evaluate.plan.codebook import CodebookFile
from evaluate.plan.config import Config
from evaluate.plan.model import Plan
from evaluate.plan.price_index import PriceIndexFile


def json_schemas() -> dict[str, str]:
    """Return the schemas as texts by file name."""
    models: dict[str, type[Closed]] = {
        "programme.schema.json": Plan,
        "config.schema.json": Config,
        "codebook.schema.json": CodebookFile,
        "price_index.schema.json": PriceIndexFile,
    }
    return {
        name: json.dumps(model.model_json_schema(), indent=2, ensure_ascii=False) + "\n"
        for name, model in models.items()
    }


if __name__ == "__main__":
    for name, content in json_schemas().items():
        Path(sys.argv[1], name).write_text(content, encoding="utf-8")
