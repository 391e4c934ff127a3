"""allauth's pages where this product differs: who may enter, and whether e-mail is sent at all."""

from typing import Any

from allauth.account.views import LoginView, PasswordResetView
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.cache import never_cache
from django.views.generic import UpdateView

from stadtherz.identity.models import User


class StaffLogin(LoginView):
    """Sign in. Who is signed in but belongs nowhere is told so, instead of going in circles."""

    @method_decorator(never_cache)
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        user = request.user
        if user.is_authenticated and not user.has_perm("wagtailadmin.access_admin"):
            return render(request, "account/no_organisation.html", status=403)
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return response


class LanguageForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ("language",)


class Account(LoginRequiredMixin, UpdateView):
    """What somebody may set for themselves: the language of the back office and of messages to them."""

    template_name = "account/account.html"
    form_class = LanguageForm
    success_url = reverse_lazy("account_own")

    def get_object(self, queryset: Any = None) -> User:
        user = self.request.user
        assert isinstance(user, User)
        return user

    def form_valid(self, form: Any) -> HttpResponse:
        changed = super().form_valid(form)
        with override(form.instance.language):
            messages.success(self.request, _("Saved."))
        return changed


class PasswordReset(PasswordResetView):
    """Sends a link, or says who helps where the installation cannot send e-mail."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        send = super().post if _sends_mail() else self.get
        response: HttpResponseBase = send(request, *args, **kwargs)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "sends_mail": _sends_mail()}


def _sends_mail() -> bool:
    return bool(settings.STADTHERZ["smtp"])
