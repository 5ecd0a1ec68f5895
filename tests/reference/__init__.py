"""A plain-Python evaluator of the trial language: the oracle, which shares no code with the SQL."""
