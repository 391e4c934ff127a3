"""`{% load sh %}`: icons, badges, numbers, times and built assets for templates."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

from django import template
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from stadtherz.base.time import Micros, iso
from stadtherz.kit.declaration import Severity
from stadtherz.web import charts, formats
from stadtherz.web.manifest import asset_url, fonts

register = template.Library()

_ICONS = Path(__file__).parent.parent / "icons"
_STATE_ICONS = {
    Severity.OK: "check",
    Severity.INFO: "info",
    Severity.WARNING: "warning",
    Severity.DANGER: "danger",
    Severity.UNKNOWN: "unknown",
}


@register.simple_tag(name="sh_asset")
def asset(name: str) -> str:
    """The address of a built entry: `{% sh_asset "main.css" %}`."""
    return asset_url(name)


@register.simple_tag(name="sh_fonts")
def preloaded_fonts() -> SafeString:
    """Links that fetch the fonts beside the style sheet and not after it: no letters jump."""
    return format_html_join(
        "\n  ",
        '<link rel="preload" href="{}" as="font" type="font/woff2" crossorigin>',
        ((static(f"sh/{name}"),) for name in fonts()),
    )


@register.simple_tag(name="sh_icon")
def icon(name: str) -> SafeString:
    """An icon of `web/icons`, hidden from screen readers: the word beside it is what counts."""
    return mark_safe(_drawing(name) or _drawing("place"))  # noqa: S308 - our own files


@register.simple_tag(name="sh_symbols")
def symbols() -> SafeString:
    """All our icons for the back office's sprite, as `sh-<name>`."""
    texts = (
        path.read_text(encoding="utf-8")
        .strip()
        .replace("<svg", f'<svg id="icon-sh-{path.stem}"', 1)
        for path in sorted(_ICONS.glob("*.svg"))
    )
    return mark_safe("".join(texts))  # noqa: S308 - our own files


@lru_cache(maxsize=128)
def _drawing(name: str) -> str:
    path = _ICONS / f"{name}.svg"
    if not name.replace("-", "").isalnum() or not path.exists():
        return ""
    text = path.read_text(encoding="utf-8").strip()
    # A size of its own: should the style sheet not come, no heart fills the screen.
    attributes = 'class="sh-icon" width="20" height="20" aria-hidden="true" focusable="false"'
    return text.replace("<svg", f"<svg {attributes}", 1)


@register.simple_tag(name="sh_badge")
def badge(state: Severity | str, text: str) -> SafeString:
    """A state as icon, word and colour; never colour alone."""
    severity = Severity(state)
    return format_html(
        '<span class="sh-badge sh-badge--{}">{}<span class="sh-badge__text">{}</span></span>',
        *(severity.value, icon(_STATE_ICONS[severity]), text),
    )


@register.simple_tag(name="sh_state_icon")
def state_icon(state: Severity | str) -> SafeString:
    return icon(_STATE_ICONS[Severity(state)])


@register.simple_tag(name="sh_spark")
def spark(values: Sequence[float]) -> SafeString:
    return charts.sparkline(values)


@register.simple_tag(name="sh_age")
def age(moment: Micros | None) -> SafeString:
    """How long ago, with the exact time for machines and on hover."""
    if moment is None:
        return format_html("<span>{}</span>", formats.age(None))
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        *(iso(moment), formats.when(moment), formats.age(moment)),
    )


@register.simple_tag(name="sh_when")
def when(moment: Micros | None) -> SafeString:
    """Date and time in full."""
    if moment is None:
        return format_html("<span>{}</span>", formats.when(None))
    return format_html('<time datetime="{}">{}</time>', iso(moment), formats.when(moment))


@register.simple_tag(name="sh_day")
def day(moment: Micros) -> str:
    """The date in full."""
    return formats.date(moment)


@register.filter(name="sh_number")
def number(value: float | None, digits: int = 0) -> str:
    return formats.number(value, digits)


@register.filter(name="sh_ids")
def ids(values: Iterable[int]) -> str:
    """Ids for an attribute: "3,7,12"."""
    return ",".join(str(value) for value in sorted(values))
