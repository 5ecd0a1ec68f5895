"""Who somebody is, and what of which trial that person may see and do."""
