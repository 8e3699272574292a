"""Which label images a store holds, one by one: a broken one hides none of the others."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import zarr
from zarr.abc.store import Store

from ngffseg import ngff
from ngffseg.errors import MetadataError, StoreNotFoundError, StorePermissionError, UsageError
from ngffseg.keywords import strict
from ngffseg.labels.nodes.find import attributes_of, find_group
from ngffseg.labels.nodes.paths import LABELS
from ngffseg.labels.read.address import split_address
from ngffseg.labels.read.label_image import LabelImage
from ngffseg.labels.read.members import child_names
from ngffseg.labels.read.open import open_labels
from ngffseg.store import open_store, store_errors

# Label images that are opened at the same time.
AT_ONCE = 16
# What is said of one label image, and does not concern the others.
PROBLEMS = (MetadataError, UsageError, StoreNotFoundError, StorePermissionError)


@dataclass(frozen=True, slots=True)
class ListedLabels:
    """A label image of a store, or why it cannot be opened.

    Parameters
    ----------
    name
        Its name under ``labels``.
    image
        The label image; None if it cannot be opened.
    problem
        Why it cannot be opened, in one line; empty if it can.
    registered
        Whether the labels group lists it; some readers find only those.
    """

    name: str
    image: LabelImage | None
    problem: str = ""
    registered: bool = True


@strict()
def list_labels(url: str | os.PathLike[str]) -> tuple[ListedLabels, ...]:
    """All label images of a store, those that are not registered or cannot be opened among them.

    Raises
    ------
    StoreError
        If the store or the network fails.
    """
    address, _ = split_address(url)
    with store_errors(address):
        store = open_store(address)
        return listed_in(store, address, find_group(store, LABELS))


def listed_in(store: Store, address: str, labels: zarr.Group | None) -> tuple[ListedLabels, ...]:
    """All label images of a labels group, opened at the same time."""
    metadata = ngff.unwrap(attributes_of(labels))[1] if labels is not None else {}
    registered = tuple(dict.fromkeys(ngff.listed_labels(metadata)))
    further = [name for name in child_names(store, [LABELS])[0] if name not in registered]
    with ThreadPoolExecutor(AT_ONCE) as threads:
        known = threads.map(lambda name: _listed(address, name, registered=True), registered)
        others = threads.map(lambda name: _listed(address, name, registered=False), further)
        # What is no image, and what no list names, may be a group between or of another program.
        return (*known, *(one for one in others if one.image is not None))


def _listed(address: str, name: str, *, registered: bool) -> ListedLabels:
    try:
        return ListedLabels(name, open_labels(address, name), "", registered)
    except StoreNotFoundError:
        return ListedLabels(name, None, "nothing is there", registered)
    except PROBLEMS as error:
        return ListedLabels(name, None, str(error), registered)
