"""Which statement of which policy the stack's functions need, seen while its tests run."""

RECORD_VARIABLE = "PERMISSIONS_RECORD"
