"""Where voxels are: the one room in which LPS, RAS and array order meet."""

from typing import TYPE_CHECKING

from ngffseg.face import lazy_face

if TYPE_CHECKING:
    from ngffseg.geometry.axes import axes_around, axes_beside, axis_names, check_beside, on_axes, sizes_text
    from ngffseg.geometry.described import described_grid, redescribed
    from ngffseg.geometry.frames import (
        from_dicom,
        from_nifti,
        from_nrrd,
        nrrd_frame,
        to_nifti,
        to_nrrd,
    )
    from ngffseg.geometry.grid import SPACE, Frame, Geometry, identity
    from ngffseg.geometry.ngff import (
        along_axes,
        anatomical_code,
        anatomical_orientation,
        from_ngff,
        misplacement,
        ngff_origin,
        same_directions,
    )
    from ngffseg.geometry.order import (
        TOLERANCE,
        Match,
        Order,
        canonical_order,
        identity_order,
        index_map,
        match,
        overlaps,
        reordered,
    )
    from ngffseg.geometry.resolution import MILLIMETERS, downsampled, scales, shear, spacing, voxel_volume
    from ngffseg.geometry.source_grid import SourceGrid, in_order, source_after, source_on_axes
    from ngffseg.geometry.units import SECONDS, converted, in_unit, length_unit
    from ngffseg.geometry.world import array_affine, from_array_affine, patient_rows, straight_affine
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "axes": "axes_around axes_beside axis_names check_beside on_axes sizes_text",
            "described": "described_grid redescribed",
            "frames": "from_dicom from_nifti from_nrrd nrrd_frame to_nifti to_nrrd",
            "grid": "Frame Geometry SPACE identity",
            "ngff": "along_axes anatomical_code anatomical_orientation from_ngff misplacement ngff_origin same_directions",
            "order": "Match Order TOLERANCE canonical_order identity_order index_map match overlaps reordered",
            "resolution": "MILLIMETERS downsampled scales shear spacing voxel_volume",
            "source_grid": "SourceGrid in_order source_after source_on_axes",
            "units": "SECONDS converted in_unit length_unit",
            "world": "array_affine from_array_affine patient_rows straight_affine",
        },
    )

__all__ = [
    "MILLIMETERS",
    "SECONDS",
    "SPACE",
    "TOLERANCE",
    "Frame",
    "Geometry",
    "Match",
    "Order",
    "SourceGrid",
    "along_axes",
    "anatomical_code",
    "anatomical_orientation",
    "array_affine",
    "axes_around",
    "axes_beside",
    "axis_names",
    "canonical_order",
    "check_beside",
    "converted",
    "described_grid",
    "downsampled",
    "from_array_affine",
    "from_dicom",
    "from_ngff",
    "from_nifti",
    "from_nrrd",
    "identity",
    "identity_order",
    "in_order",
    "in_unit",
    "index_map",
    "length_unit",
    "match",
    "misplacement",
    "ngff_origin",
    "nrrd_frame",
    "on_axes",
    "overlaps",
    "patient_rows",
    "redescribed",
    "reordered",
    "same_directions",
    "scales",
    "shear",
    "sizes_text",
    "source_after",
    "source_on_axes",
    "spacing",
    "straight_affine",
    "to_nifti",
    "to_nrrd",
    "voxel_volume",
]
