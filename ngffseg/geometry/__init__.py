"""Where voxels are: the one room in which LPS, RAS and array order meet."""

from ngffseg.geometry.frames import (
    from_dicom,
    from_nifti,
    from_nrrd,
    to_nifti,
    to_nrrd,
)
from ngffseg.geometry.grid import SPACE, Frame, Geometry, identity
from ngffseg.geometry.ngff import anatomical_orientation, from_ngff, ngff_origin, same_directions
from ngffseg.geometry.order import Match, Order, canonical_order, identity_order, match, reordered
from ngffseg.geometry.resolution import MILLIMETERS, downsampled, scales, spacing, voxel_volume
from ngffseg.geometry.world import array_affine, from_array_affine, patient_rows, straight_affine

__all__ = [
    "MILLIMETERS",
    "SPACE",
    "Frame",
    "Geometry",
    "Match",
    "Order",
    "anatomical_orientation",
    "array_affine",
    "canonical_order",
    "downsampled",
    "from_array_affine",
    "from_dicom",
    "from_ngff",
    "from_nifti",
    "from_nrrd",
    "identity",
    "identity_order",
    "match",
    "ngff_origin",
    "patient_rows",
    "reordered",
    "same_directions",
    "scales",
    "spacing",
    "straight_affine",
    "to_nifti",
    "to_nrrd",
    "voxel_volume",
]
