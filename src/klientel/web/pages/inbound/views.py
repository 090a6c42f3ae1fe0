"""Forms on web sites: the list for those who make them, and the address that anybody may send to."""

from __future__ import annotations

import json
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from klientel.errors import BadParameter, KlientelError
from klientel.web.accounts.callers import address_of
from klientel.web.inbound import services
from klientel.web.inbound.models import LeadForm
from klientel.web.pages import shell
from klientel.web.pages.people.addresses import number
from klientel.web.records.models import Rep
from klientel.words import say, translate

_LARGEST = 64 * 1024  # bytes of what a form sends


class TooLarge(KlientelError):
    """More was sent than a form holds."""


@require_http_methods(["GET", "POST"])
def index(request: Any) -> Any:
    """All forms, and making one."""
    refusal = None
    if request.method == "POST":
        try:
            made = services.create(
                request.user,
                request.POST.get("name", ""),
                shell.now(),
                channel=request.POST.get("channel", ""),
                rep=request.POST.get("rep", ""),
                origins=request.POST.get("origins", "").splitlines(),
            )
        except BadParameter as wrong:
            refusal = wrong.sentence
        else:
            shell.tell(request, say("The form {name} is open.", name=made.name))
            return redirect("inbound:index")
    found = services.forms(request.user)
    root = f"{request.scheme}://{request.get_host()}"
    context = {
        "forms": [{"form": f, "address": root + reverse("inbound:form", args=[f.token])} for f in found],
        "reps": Rep.present.order_by("name", "number").values("number", "name", "first_name"),
        "refusal": refusal,
        "typed": request.POST,
        "trap": services.TRAP,
    }
    return shell.page(request, "inbound/index.html", context, status=400 if refusal else 200)


@require_POST
def switch(request: Any, pk: int) -> Any:
    """Switch a form on or off."""
    form = LeadForm.objects.filter(pk=pk).first()
    services.forms(request.user)  # whoever may not see them hears that first
    if form is None:
        raise Http404
    services.switch(request.user, form, request.POST.get("on") == "1")
    return redirect("inbound:index")


@login_not_required
@csrf_exempt  # sent from other sites on purpose; nobody is signed in by it and nothing is read
@require_http_methods(["GET", "POST", "OPTIONS"])
def form(request: Any, token: str) -> Any:
    """The form for people without one of their own, and what any of them sends."""
    found = _open(token)
    if request.method == "OPTIONS":
        return _cors(request, found, HttpResponse(status=204))
    if request.method == "GET":
        return _shown(request, found, {})
    try:
        values = _values(request)
        services.receive(
            found,
            values,
            shell.now(),
            origin=request.headers.get("Origin", ""),
            own=f"{request.scheme}://{request.get_host()}",
            address=address_of(request),
        )
    except KlientelError as refused:
        status = {services.TooOften: 429, services.Foreign: 403, TooLarge: 413}.get(type(refused), 400)
        if _wants_json(request):
            why = translate(refused.sentence, request.lang)
            return _cors(request, found, JsonResponse({"ok": False, "why": why}, status=status))
        typed = {} if isinstance(refused, TooLarge) else request.POST  # which would be read now
        return _shown(request, found, typed, refusal=refused.sentence, status=status)
    if _wants_json(request):
        return _cors(request, found, JsonResponse({"ok": True}))
    return shell.page(request, "inbound/thanks.html", {"form": found})


@login_not_required
@require_http_methods(["GET"])
def stamp(request: Any, token: str) -> Any:
    """The signed moment for a form on another site."""
    found = _open(token)
    return _cors(request, found, JsonResponse({"stamp": services.stamp(found, shell.now())}))


def _open(token: str) -> LeadForm:
    found: LeadForm | None = LeadForm.objects.filter(token=token, active=True).select_related("rep").first()
    if found is None:
        raise Http404
    return found


def _shown(request: Any, found: LeadForm, typed: Any, *, refusal: Any = None, status: int = 200) -> Any:
    context = {
        "form": found,
        "typed": typed,
        "refusal": refusal,
        "stamp": services.stamp(found, shell.now()) if not typed else typed.get("stamp", ""),
        "trap": services.TRAP,
    }
    return shell.page(request, "inbound/form.html", context, status=status)


def _values(request: Any) -> dict[str, Any]:
    """What was sent, as a form or as JSON."""
    if (number(request.headers.get("Content-Length")) or 0) > _LARGEST:
        raise TooLarge(say("That is more than one request may carry."))
    if request.content_type == "application/json":
        try:
            told = json.loads(request.body)
        except (ValueError, RecursionError):
            told = None
        if not isinstance(told, dict):
            raise BadParameter(say("What was sent is no JSON object."))
        return told
    return dict(request.POST.items())


def _wants_json(request: Any) -> bool:
    return request.content_type == "application/json" or "application/json" in request.headers.get(
        "Accept", ""
    )


def _cors(request: Any, found: LeadForm, answer: Any) -> Any:
    """Let the form's own sites read the answer."""
    origin = request.headers.get("Origin", "")
    if origin in found.origins:
        answer["Access-Control-Allow-Origin"] = origin
        answer["Access-Control-Allow-Methods"] = "GET, POST"
        answer["Access-Control-Allow-Headers"] = "Content-Type"
    answer["Vary"] = "Origin"
    return answer
