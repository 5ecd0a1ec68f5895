"""What a store keeps of its nights: the lock, a record a run, the published lists and which of them holds."""
