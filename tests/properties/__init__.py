"""Properties that hold for every trial and every data: SQL and the oracle agree, and order changes nothing."""
