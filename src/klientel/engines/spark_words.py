"""How Spark says the expressions that Ibis words otherwise there or not at all."""

from __future__ import annotations

from typing import Any, ClassVar

import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import sqlglot.expressions as sge
from ibis.backends.sql.compilers.pyspark import PySparkCompiler


class Words(PySparkCompiler):  # type: ignore[misc]  # Ibis gives its classes no types
    """Ibis' compiler for Spark, with the same meaning as on the embedded engine."""

    __slots__ = ()
    SIMPLE_OPS: ClassVar[dict[Any, Any]] = {ops.BitAnd: "bit_and", ops.BitOr: "bit_or", ops.BitXor: "bit_xor"}

    def visit_DefaultLiteral(self, op: Any, *, value: Any, dtype: Any) -> Any:
        """A float says that it is one: 0.5 would be a decimal here."""
        made = super().visit_DefaultLiteral(op, value=value, dtype=dtype)
        return self.cast(made, dtype) if dtype.is_floating() else made

    def visit_Cast(self, op: Any, *, arg: Any, to: Any) -> Any:
        """Fractions become whole numbers by rounding, as on the embedded engine; Spark cuts them off."""
        kind = op.arg.dtype
        if to.is_integer() and kind.is_floating():
            return self.cast(self.f.rint(arg), to)
        if to.is_decimal() and kind.is_floating() and to.scale is not None:
            whole = self._rounded(arg, to.scale)
            if to.precision is not None and to.precision <= 18:
                # a decimal of up to 18 digits is a plain whole number inside Spark: four times as fast
                whole = self.cast(self.cast(whole, dt.int64), dt.Decimal(18, 0))
            else:
                whole = self.cast(whole, dt.Decimal(38, 0))
            unit = self.cast(sge.convert(f"{10**-to.scale:.{to.scale}f}"), dt.Decimal(to.scale + 1, to.scale))
            return self.cast(sge.paren(whole * unit), to)
        if to.is_integer() and kind.is_decimal():
            return self.cast(self.f.round(arg), to)
        return super().visit_Cast(op, arg=arg, to=to)

    def visit_Round(self, op: Any, *, arg: Any, digits: Any) -> Any:
        """Floats as the embedded engine rounds them: the nearest whole number of units, half away from 0."""
        places = op.digits.value if isinstance(op.digits, ops.Literal) else 0 if op.digits is None else None
        if not op.arg.dtype.is_floating() or places is None:
            return super().visit_Round(op, arg=arg, digits=digits)
        return self.cast(
            sge.paren(self._rounded(arg, places) / self.cast(sge.convert(10**places), dt.float64)), op.dtype
        )

    def _rounded(self, arg: Any, places: int) -> Any:
        """A float in units of the last place, rounded half away from 0: a float still.

        Spark's own rounding goes through a text of the number; up to 4e15 a float can do it ten times faster.
        """
        units = sge.paren(sge.paren(arg) * self.cast(sge.convert(10**places), dt.float64))
        half = self.cast(sge.convert("0.5"), dt.float64)
        quick = self.f.signum(units) * self.f.floor(sge.paren(self.f.abs(units) + half))
        small = self.f.abs(units) < self.cast(sge.convert("4e15"), dt.float64)
        return self.if_(small, quick, self.f.round(units, sge.convert(0)))

    def visit_Divide(self, op: Any, *, left: Any, right: Any) -> Any:
        """In floats, as on the embedded engine: decimals would be cut to few places here; by zero gives NULL."""
        return self.f.try_divide(self.cast(left, dt.float64), self.cast(right, dt.float64))

    def visit_Mean(self, op: Any, *, arg: Any, where: Any) -> Any:
        """Of decimals the exact sum by the count: Spark's own mean keeps few places."""
        if not op.arg.dtype.is_decimal():
            return super().visit_Mean(op, arg=arg, where=where)
        whole = self.cast(self.agg.sum(arg, where=where), dt.float64)
        return self.f.try_divide(whole, self.cast(self.agg.count(arg, where=where), dt.float64))

    def visit_BitwiseLeftShift(self, op: Any, *, left: Any, right: Any) -> Any:
        """In 64 bits."""
        return self.f.anon.shiftleft(self.cast(left, dt.int64), self.cast(right, dt.int32))

    def visit_BitwiseRightShift(self, op: Any, *, left: Any, right: Any) -> Any:
        """In 64 bits."""
        return self.f.anon.shiftright(self.cast(left, dt.int64), self.cast(right, dt.int32))

    def visit_WindowFunction(self, op: Any, **parts: Any) -> Any:
        """A cast stands around the window, not inside it."""
        func = parts.pop("func")
        if isinstance(func, sge.Cast):
            inner = super().visit_WindowFunction(op, func=func.this, **parts)
            return sge.Cast(this=inner, to=func.to)
        return super().visit_WindowFunction(op, func=func, **parts)
