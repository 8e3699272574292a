"""What a job or a read costs, told before it is done."""

from ngffseg.planning.calibration import calibrate
from ngffseg.planning.costs import Cost, access_costs

__all__ = ["Cost", "access_costs", "calibrate"]
