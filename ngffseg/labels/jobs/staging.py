"""`Staging`: where the parts of a write lie until they are published."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ngffseg.errors import JobError
from ngffseg.labels.nodes.paths import INDEX, INDEX_PARTS, LABELS
from ngffseg.ngff import JobRecord
from ngffseg.pyramid import Pass, PyramidPlan, with_passes
from ngffseg.store import local_path, make_folder


@dataclass(frozen=True, slots=True)
class Staging:
    """Paths of one write.

    On a local disk they lie under ``ngffseg/jobs/<id>`` and are moved to their place in one step.
    Elsewhere nothing can be moved: the arrays are written in place, where no metadata names them
    yet. When a label image is replaced there, its new levels get paths of their own.

    Parameters
    ----------
    url
        Address of the store.
    folder
        Folder of the job in it.
    aside
        Whether all is written below the job.
    level_prefix
        Stands before the paths of levels that are written in place.
    """

    url: str
    folder: str
    aside: bool
    level_prefix: str

    @property
    def image_path(self) -> str:
        """Path of the group in which the source image is written."""
        return f"{self.folder}/image" if self.aside else ""

    def label_path(self, name: str) -> str:
        """Path of the group in which a label image is written."""
        return f"{self.folder}/{LABELS}/{name}" if self.aside else f"{LABELS}/{name}"

    def index_path(self, name: str) -> str:
        """Path of the group in which the segment index of a label image is written."""
        return f"{self.folder}/{INDEX}/{name}" if self.aside else f"{INDEX}/{name}"

    def paths_of(self, name: str, plan: PyramidPlan) -> list[str]:
        """Paths of the arrays of a label image and of its index."""
        levels = [f"{self.label_path(name)}/{self.level_prefix}{level.path}" for level in plan.levels]
        return levels + self.index_paths(name)

    def index_paths(self, name: str) -> list[str]:
        """Paths of the arrays of an index."""
        return [f"{self.index_path(name)}/{self.level_prefix}{part}" for part in INDEX_PARTS]

    @property
    def scratch(self) -> Path | None:
        """Folder in which files are written before they take their place; None where there are none."""
        return None if local_path(self.url) is None else make_folder(self.url, f"{self.folder}/parts")


def fitted_plan(record: JobRecord, name: str, plan: PyramidPlan) -> PyramidPlan:
    """The plan with the passes that a job was begun with: its checkpoints count blocks by them.

    Raises
    ------
    JobError
        If those cannot build the levels: the record is damaged.
    """
    passes = record.passes.get(name)
    if passes is None:
        return plan
    fitted = with_passes(plan, tuple(Pass(*pass_) for pass_ in passes))
    if fitted is None:
        raise JobError(
            f"the record of the job that wrote {name!r} is damaged: begin anew, without resuming it"
        )
    return fitted
