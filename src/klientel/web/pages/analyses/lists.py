"""The customers of an answer as a list of records: what is chosen in a table or chart, shareable by its address.

Other rooms ask `numbers_of` with the address's query: `answer=abc&table=customers&f.grade=A&scope=...`.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponseRedirect
from django.urls import reverse

from klientel.analyses import ANALYSES
from klientel.errors import BadParameter
from klientel.result import Result
from klientel.web.pages import shell
from klientel.web.pages.analyses import answers, asked, tables
from klientel.web.pages.analyses.show import declared
from klientel.words import say

LISTED = 200  # numbers that an address can hold


def numbers_of(request: Any) -> list[str] | None:
    """The numbers of the customers that `answer=...` in a query stands for, in the order of its table.

    None if the query has no such answer, or the answer is not there yet within half a minute; BadParameter for a
    question that cannot be one. What the person may
    not see is not in it: the answer is the person's own.
    """
    name = request.GET.get("answer", "")
    if name not in ANALYSES:
        return None
    wanted = asked.read(request, ANALYSES[name])
    if wanted.errors:  # what was not understood is left out of the question, which would be another one
        raise BadParameter(next(iter(wanted.errors.values())))
    found = answers.get(wanted.question(), patience=30)
    if not isinstance(found, Result):
        return None
    data = tables.select(found, tables.read(request.GET, found), request.lang)
    if "customer_id" not in data.column_names:
        return None
    numbers = data.column("customer_id").to_pylist()
    return list(dict.fromkeys(str(number) for number in numbers if number is not None))


def customers(request: Any, name: str) -> Any:
    """To the list of companies with the customers of the chosen rows; the address of that list names them."""
    analysis = declared(name)
    given = request.GET.copy()
    given["answer"] = analysis.name
    request.GET = given
    numbers = numbers_of(request)
    if numbers and len(numbers) <= LISTED:
        address = f"{reverse('records:list', args=['companies'])}?"
        return HttpResponseRedirect(address + urlencode([("f.number", number) for number in numbers]))
    if numbers:
        shell.tell(
            request,
            say("A list shows at most {n} chosen customers; these are {all}. Filter further, or download.",
                n=LISTED, all=len(numbers)),
            "info",
        )  # fmt: skip
    given.pop("answer")
    return HttpResponseRedirect(f"{reverse('analyses:show', args=[name])}?{given.urlencode()}#table")
