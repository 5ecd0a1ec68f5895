"""Leaf kind `formula`: a number computed from several results by a template of queries/formulas/."""

from typing import Any, ClassVar

from cohortfinder.criteria.question import AT_ONCE, NumericQuestion, Remedy


class FormulaQuestion(NumericQuestion):
    """`{formula: cockcroft_gault, at_least: 30 mL/min}`: compare a computed number.

    A formula is a template `queries/formulas/<name>.sql.jinja` and the declaration of its inputs beside it,
    `<name>.yaml`: concepts, windows and units. Its result is an interval, so an input that is not known exactly gives
    unknown only where it matters. A missing input gives unknown with the reason `missing_<input>`.

    `assume: room_air` says what holds where the records are silent about it; the declaration lists what may be assumed.
    """

    kind: ClassVar[str] = "formula"
    hears_silence: ClassVar[bool] = False
    domain: ClassVar = "observation"

    formula: str
    assume: str | None = None

    def remedy(self, wanted: bool) -> Remedy | None:
        """It is computed anew from new results."""
        return AT_ONCE

    def model_post_init(self, context: Any) -> None:
        """Require a comparison."""
        super().model_post_init(context)
        if self.comparison is None:
            raise ValueError("say what the result must be: at_least, at_most, above, below or between")
