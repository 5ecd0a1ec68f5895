"""The published lists as the pages need them: read-only, one snapshot at a time."""
