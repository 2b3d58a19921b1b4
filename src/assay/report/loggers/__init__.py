"""One adapter for each logger that a run can be published to."""
