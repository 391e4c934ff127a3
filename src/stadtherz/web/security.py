"""The browser's rules for every answer: what a page may load and who may frame it.

Nothing inline runs, neither script nor style, anywhere: an injected tag is dead text. Wagtail's few
inline scripts are replaced by templates with data attributes and `static/staff/staff.js`
(`templates/wagtailadmin`), so the back office lives under the same policy as the public pages.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

_POLICY = {
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data: blob:",  # MapLibre and ECharts draw images from memory
    "font-src": "'self'",
    "connect-src": "'self'",
    "worker-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
_UNUSED = "accelerometer camera display-capture geolocation gyroscope microphone midi payment usb"

HEADERS = {
    "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in _POLICY.items()),
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in _UNUSED.split()),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class ContentSecurityPolicy:
    """Middleware: adds the headers to every answer that does not bring its own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response
