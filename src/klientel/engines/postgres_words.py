"""How PostgreSQL says the expressions that Ibis words otherwise there or not at all."""

from __future__ import annotations

from typing import Any, ClassVar

import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import sqlglot.expressions as sge
from ibis.backends.sql.compilers.postgres import PostgresCompiler


class Words(PostgresCompiler):  # type: ignore[misc]  # Ibis gives its classes no types
    """Ibis' compiler for PostgreSQL, with the same meaning as on the embedded engine."""

    __slots__ = ()
    SIMPLE_OPS: ClassVar[dict[Any, Any]] = {}

    # -- numbers: the types that Ibis promises, since the server's own are wider -------------------

    def visit_DefaultLiteral(self, op: Any, *, value: Any, dtype: Any) -> Any:
        """A float says that it is one: 0.5 would be a decimal here."""
        made = super().visit_DefaultLiteral(op, value=value, dtype=dtype)
        return self.cast(made, dtype) if dtype.is_floating() else made

    def visit_Cast(self, op: Any, *, arg: Any, to: Any) -> Any:
        """Yes and no become numbers by way of an integer; days and texts as Ibis."""
        kind = op.arg.dtype
        if kind.is_boolean() and to.is_numeric():
            return self.cast(self.cast(arg, dt.int32), to)
        if kind.is_floating() and to.is_decimal() and to.scale is not None:
            # By way of text: from a float the server takes 15 digits only.
            whole = self.cast(self.cast(self._rounded(arg, to.scale), dt.string), dt.decimal)
            return self.cast(sge.paren(whole * sge.Literal.number(f"1e-{to.scale}")), to)
        return super().visit_Cast(op, arg=arg, to=to)

    def visit_Round(self, op: Any, *, arg: Any, digits: Any) -> Any:
        """Floats as the embedded engine rounds them: the nearest whole number of units, half away from 0."""
        places = op.digits.value if isinstance(op.digits, ops.Literal) else 0 if op.digits is None else None
        if not op.arg.dtype.is_floating() or places is None:
            return super().visit_Round(op, arg=arg, digits=digits)
        return self.cast(sge.paren(self._rounded(arg, places) / sge.Literal.number(f"1e{places}")), op.dtype)

    def _rounded(self, arg: Any, places: int) -> Any:
        """A float in units of the last place, rounded half away from 0: a float still."""
        units = sge.paren(
            sge.paren(self.cast(arg, dt.float64)) * self.cast(sge.convert(10**places), dt.float64)
        )
        half = self.f.sign(units) * self.cast(sge.Literal.number("0.5"), dt.float64)
        return self.f.trunc(sge.paren(units + half))

    def visit_Divide(self, op: Any, *, left: Any, right: Any) -> Any:
        """In floats, as on the embedded engine: whole numbers would lose their fraction here; by zero NULL."""
        by = self.f.nullif(self.cast(right, dt.float64), 0)
        return sge.Div(this=self.cast(left, dt.float64), expression=by, typed=True, safe=False)

    def visit_FloorDivide(self, op: Any, *, left: Any, right: Any) -> Any:
        """Exact, also where both are whole."""
        exact = sge.Div(
            this=sge.paren(self.cast(left, dt.decimal)), expression=sge.paren(right), typed=True, safe=False
        )
        return self.cast(self.f.floor(exact), op.dtype)

    def visit_Sum(self, op: Any, *, arg: Any, where: Any) -> Any:
        """Sums of whole numbers stay whole: the server makes them numeric."""
        made = super().visit_Sum(op, arg=arg, where=where)
        return self.cast(made, op.dtype) if op.dtype.is_integer() else made

    def visit_Mean(self, op: Any, *, arg: Any, where: Any) -> Any:
        """A float, whatever is averaged."""
        if op.arg.dtype.is_boolean():
            arg = self.cast(arg, dt.int32)
        return self.cast(self.agg.avg(arg, where=where), op.dtype)

    def visit_BitwiseLeftShift(self, op: Any, *, left: Any, right: Any) -> Any:
        """In 64 bits."""
        return sge.BitwiseLeftShift(
            this=sge.paren(self.cast(left, dt.int64)), expression=sge.paren(self.cast(right, dt.int32))
        )

    def visit_BitwiseRightShift(self, op: Any, *, left: Any, right: Any) -> Any:
        """In 64 bits."""
        return sge.BitwiseRightShift(
            this=sge.paren(self.cast(left, dt.int64)), expression=sge.paren(self.cast(right, dt.int32))
        )

    # -- days --------------------------------------------------------------------------------------

    def visit_ExtractYear(self, op: Any, *, arg: Any) -> Any:
        """A whole number: the server gives numeric."""
        return self.cast(super().visit_ExtractYear(op, arg=arg), op.dtype)

    def visit_ExtractMonth(self, op: Any, *, arg: Any) -> Any:
        """A whole number: the server gives numeric."""
        return self.cast(super().visit_ExtractMonth(op, arg=arg), op.dtype)

    def visit_ExtractDay(self, op: Any, *, arg: Any) -> Any:
        """A whole number: the server gives numeric."""
        return self.cast(super().visit_ExtractDay(op, arg=arg), op.dtype)

    def visit_ExtractQuarter(self, op: Any, *, arg: Any) -> Any:
        """A whole number: the server gives numeric."""
        return self.cast(super().visit_ExtractQuarter(op, arg=arg), op.dtype)

    # -- texts: one order everywhere, that of their bytes ---------------------------------------------

    def _plain(self, value: Any, dtype: Any) -> Any:
        if not dtype.is_string():
            return value
        return sge.Collate(this=sge.paren(value), expression=sge.to_identifier("C", quoted=True))

    def visit_SortKey(self, op: Any, *, arg: Any, ascending: bool, nulls_first: bool) -> Any:
        """Texts by their bytes: a database sorts them by the rules of its language."""
        plain = self._plain(arg, op.arg.dtype)
        return super().visit_SortKey(op, arg=plain, ascending=ascending, nulls_first=nulls_first)

    def visit_Min(self, op: Any, *, arg: Any, where: Any) -> Any:
        """Of texts the first by bytes."""
        return super().visit_Min(op, arg=self._plain(arg, op.arg.dtype), where=where)

    def visit_Max(self, op: Any, *, arg: Any, where: Any) -> Any:
        """Of texts the last by bytes."""
        return super().visit_Max(op, arg=self._plain(arg, op.arg.dtype), where=where)

    def visit_WindowFunction(self, op: Any, **parts: Any) -> Any:
        """A cast stands around the window, not inside it."""
        func = parts.pop("func")
        if isinstance(func, sge.Cast):
            inner = super().visit_WindowFunction(op, func=func.this, **parts)
            return sge.Cast(this=inner, to=func.to)
        return super().visit_WindowFunction(op, func=func, **parts)
