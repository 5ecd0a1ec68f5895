"""Invented patients from a trial definition: records that meet, just miss or leave open each leaf of its rules."""
