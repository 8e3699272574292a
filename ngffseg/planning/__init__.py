"""What a job or a read costs, told before it is done."""

from typing import TYPE_CHECKING

from ngffseg.face import lazy_face

if TYPE_CHECKING:
    from ngffseg.planning.calibration import calibrate
    from ngffseg.planning.costs import Cost, access_costs
    from ngffseg.planning.rates import rates_for
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "calibration": "calibrate",
            "costs": "Cost access_costs",
            "rates": "rates_for",
        },
    )

__all__ = ["Cost", "access_costs", "calibrate", "rates_for"]
