"""`Written`: what a job has written and not yet published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ngffseg.labels.nodes.paths import OWN

Attributes = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Written:
    """Metadata of groups whose arrays are complete.

    Parameters
    ----------
    labels, indices
        Attributes of the label images and of their segment indices, by name.
    image
        Those of the image that was written with them; None where none was.
    """

    labels: Mapping[str, Attributes]
    indices: Mapping[str, Attributes]
    image: Attributes | None = None

    def of_generation(self, generation: int) -> Written:
        """The same, telling how often the segmentation has been written."""
        return Written(_state(self.labels, generation), _state(self.indices, generation), self.image)


def _state(groups: Mapping[str, Attributes], generation: int) -> dict[str, Attributes]:
    return {
        name: {**attributes, OWN: {**attributes[OWN], "generation": generation}}
        for name, attributes in groups.items()
    }
