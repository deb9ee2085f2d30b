"""Put the workflow into the wheel, so that an installation without the repository can run it."""

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class WorkflowInWheel(BuildHookInterface):
    """Add the files at the top of the repository as `evaluate/_workflow`."""

    def initialize(self, version, build_data):
        """Leave an editable installation alone: it finds them in the repository."""
        if version == "standard":
            for name in ("Snakefile", "workflow", "notebooks", "config"):
                build_data["force_include"][name] = f"evaluate/_workflow/{name}"
