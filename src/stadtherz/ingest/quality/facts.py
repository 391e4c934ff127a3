"""Facts of a sentence as people read them."""

from typing import Any

from django.utils.formats import localize


class Facts(dict[str, Any]):
    """For `str.format_map`; a fact that an older record lacks must not break its sentence."""

    def __getitem__(self, name: str) -> Any:
        value = super().__getitem__(name)
        if not isinstance(value, float):
            return value
        return localize(int(value) if value.is_integer() else value)

    def __missing__(self, key: str) -> str:
        return "?"
