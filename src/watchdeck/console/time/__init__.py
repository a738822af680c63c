"""Moving in time: which moment is shown, and which earlier one it is compared with."""
