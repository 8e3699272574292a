"""Versions of OME-Zarr, and where each keeps its metadata in the attributes of a group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

Version = Literal["0.5", "0.4"]
VERSIONS: tuple[Version, ...] = ("0.5", "0.4")
# Versions whose rules are known only in part.
OLD_VERSIONS = ("0.1", "0.2", "0.3")


def zarr_format(version: str) -> Literal[2, 3]:
    """Zarr format that a version is stored in: v2 up to 0.4, v3 since 0.5."""
    return 2 if version in (*OLD_VERSIONS, "0.4") else 3


def is_unknown(version: str | None) -> bool:
    """Return True if metadata tell a version that is none of those whose rules are known."""
    return version is not None and version not in (*VERSIONS, *OLD_VERSIONS)


def unwrap(attributes: Mapping[str, Any]) -> tuple[str | None, dict[str, Any]]:
    """Version and OME metadata of a group.

    Since 0.5 they are under the key ``ome``; before, at the root, with the version inside
    multiscales, image-label, plate or well, where it may be missing.
    """
    ome = attributes.get("ome")
    if isinstance(ome, dict):
        version = ome.get("version")
        return (version if isinstance(version, str) else None), ome
    return _old_version(attributes), dict(attributes)


def listed_labels(metadata: Mapping[str, Any]) -> tuple[str, ...]:
    """Label images that the register in the metadata of a labels group names."""
    listed = metadata.get("labels")
    return tuple(n for n in listed if isinstance(n, str)) if isinstance(listed, list) else ()


def _old_version(attributes: Mapping[str, Any]) -> str | None:
    multiscales = attributes.get("multiscales")
    inside = [*multiscales] if isinstance(multiscales, list) else []
    inside += [attributes.get(part) for part in ("image-label", "plate", "well")]
    for part in inside:
        if isinstance(part, dict) and isinstance(part.get("version"), str):
            return str(part["version"])
    return None


def stated_versions(attributes: Mapping[str, Any]) -> tuple[str, ...]:
    """All versions that a group tells; before 0.5, each of its multiscales tells its own."""
    if isinstance(attributes.get("ome"), dict):
        version = unwrap(attributes)[0]
        return () if version is None else (version,)
    multiscales = attributes.get("multiscales")
    inside = (
        [part.get("version") for part in multiscales or () if isinstance(part, dict)]
        if isinstance(multiscales, list)
        else [_old_version(attributes)]
    )
    return tuple(dict.fromkeys(version for version in inside if isinstance(version, str)))


def merge_attributes(there: Mapping[str, Any], changed: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes of a group after a change of some of them; those under ``ome`` are changed one by one."""
    merged = {**there, **changed}
    if isinstance(there.get("ome"), dict) and isinstance(changed.get("ome"), dict):
        merged["ome"] = {**there["ome"], **changed["ome"]}
    return merged


def wrap(
    version: Version, metadata: Mapping[str, Any], extra: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Attributes of a group: OME metadata in the place of its version, and other keys beside."""
    rest = dict(extra or {})
    if version == "0.5":
        return {"ome": {**metadata, "version": version}, **rest}
    return {**metadata, **rest}
