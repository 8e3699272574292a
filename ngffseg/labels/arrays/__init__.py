"""Labels in another order, on another grid or painted from masks: arrays that are computed when they are sliced."""
