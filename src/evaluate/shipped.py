"""Where the files lie that come with the package but not inside it."""

from __future__ import annotations

from pathlib import Path


def workflow_root() -> Path:
    """Return the folder with the Snakefile: in an installation, or at the top of the repository."""
    installed = Path(__file__).parent / "_workflow"
    return installed if installed.is_dir() else Path(__file__).parents[2]
