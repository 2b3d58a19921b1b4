"""Networks, Lightning modules, callbacks and learners."""
