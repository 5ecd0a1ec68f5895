"""SQL on FHIR: ViewDefinition and FHIRPath to SQL text; nothing here runs a query."""

from cohortfinder.views.compiler import CompiledView, compile_view
from cohortfinder.views.errors import ViewError
from cohortfinder.views.selection import Column

__all__ = ["Column", "CompiledView", "ViewError", "compile_view"]
