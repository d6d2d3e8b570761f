"""`env.sample` and `docs/settings.md`, written from the table of options."""

import textwrap
from itertools import groupby
from pathlib import Path

from data_handler.env import Option

SAMPLE_HEAD = """\
# Settings of Data Handler, with their defaults. Copy to .env and change what you need.
# NAME_FILE=/path instead of NAME=value reads the value from a file (Docker and Kubernetes secrets).
# Made by `python manage.py write_settings_docs`.
"""

PAGE_HEAD = """\
# Settings

Every setting is an environment variable, read once at the start; a value that cannot be right stops the start and
says which variable it is. `NAME_FILE=/path` instead of `NAME=value` reads the value from a file.

With neither `DATABASE_URL` nor `REDIS_URL` the service is *embedded*: it brings PostgreSQL and Valkey along, keeps
everything below `DATA_DIR` and needs no setting at all.

This page is made from `data_handler/options.py` by `python manage.py write_settings_docs`.
"""


def env_sample(options: tuple[Option, ...]) -> str:
    parts = [SAMPLE_HEAD]
    for group, members in groupby(options, key=lambda option: option.group):
        parts.append(f"\n# --- {group} ---\n")
        parts += [f"\n{_comment(option.help)}\n#{option.name}={option.default}\n" for option in members]
    return "".join(parts)


def settings_page(options: tuple[Option, ...]) -> str:
    parts = [PAGE_HEAD]
    for group, members in groupby(options, key=lambda option: option.group):
        parts.append(f"\n## {group}\n\n| Variable | Default | What it does |\n|---|---|---|\n")
        parts += [f"| `{option.name}` | {_default(option)} | {option.help} |\n" for option in members]
    return "".join(parts)


def pages(base_dir: Path, options: tuple[Option, ...]) -> dict[Path, str]:
    """What each file should hold."""
    return {
        base_dir / "env.sample": env_sample(options),
        base_dir / "docs" / "settings.md": settings_page(options),
    }


def _comment(text: str) -> str:
    return textwrap.fill(text, 110, initial_indent="# ", subsequent_indent="# ")


def _default(option: Option) -> str:
    return f"`{option.default}`" if option.default else "–"
