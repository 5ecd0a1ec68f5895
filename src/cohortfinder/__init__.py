"""Find the patients who could join a clinical trial, over a hospital's FHIR R4 data, with the reasons."""

__version__ = "0.1.0"
