"""Figures and self-contained HTML pages from data sets."""

from __future__ import annotations

from .page import render_report

__all__ = ["render_report"]
