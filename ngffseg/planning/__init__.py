"""What a job or a read costs, told before it is done."""

from typing import TYPE_CHECKING

from ngffseg.face import lazy_face

if TYPE_CHECKING:
    from ngffseg.planning.calibration import calibrate
    from ngffseg.planning.costs import Cost, access_costs
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "calibration": "calibrate",
            "costs": "Cost access_costs",
        },
    )

__all__ = ["Cost", "access_costs", "calibrate"]
