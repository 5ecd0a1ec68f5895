"""The parts of a night, in their order: see `cohortfinder.jobs.nightly`."""
