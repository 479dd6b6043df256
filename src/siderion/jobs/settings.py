"""Base of all settings: frozen pydantic models from TOML and overrides, with one clear error."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from siderion.core.errors import SettingsError


class Settings(BaseModel):
    """Settings that cannot be changed after they are made and know no unknown names."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def make(cls, values: Mapping[str, Any]) -> Self:
        """Check values and build the settings.

        Raises
        ------
        SettingsError
            A name is unknown or a value breaks its rule; the message names all of them.
        """
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            raise SettingsError(explain(error, cls.__name__)) from None

    @classmethod
    def from_toml(cls, path: str | Path, overrides: Mapping[str, Any] | None = None) -> Self:
        """Read settings from a TOML file; ``overrides`` (nested mappings) win over the file."""
        return cls.make(merged(read_toml(path), overrides or {}))

    def digest(self) -> str:
        """Stable hash of the resolved settings, 16 hexadecimal digits."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def read_toml(path: str | Path) -> dict[str, Any]:
    """Read a TOML file; raise `SettingsError` when it is missing or no TOML."""
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"settings file {path}: {error.strerror or error}; give the path of a TOML file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"settings file {path} is not valid TOML: {error}") from None


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Nested mappings merged; values of ``over`` win."""
    result = dict(base)
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = merged(result[key], value) if both else value
    return result


def explain(error: ValidationError, name: str) -> str:
    """One line for every field that failed: name, value, rule."""
    parts = []
    for item in error.errors(include_url=False):
        place = ".".join(str(step) for step in item["loc"]) or name
        # for a missing field pydantic gives the whole mapping as the input: not the value of that field
        no_value = item["type"] in ("extra_forbidden", "missing") or not item["loc"]
        given = "" if no_value else f" is {item['input']!r}"
        rule = "is not a setting; look at the names in docs/settings.md" if item["type"] == "extra_forbidden" else item["msg"]
        parts.append(f"{place}{given}: {rule}")
    return "; ".join(parts)
