"""Where labels live: one file, or PostgreSQL; what many people say at once, and what a loop did with it.

:class:`Desk` is where a person answers; the functions look after a store, and take its URL. A loop gets one
by ``BootstrapLoop(storage=...)``. Names are loaded when first used (PEP 562), and SQLAlchemy with the first.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bootstrap.store.class_lists import change_classes, class_list
    from bootstrap.store.database import Database
    from bootstrap.store.desks.desk import Desk
    from bootstrap.store.desks.reviewers import Reviewer, add_reviewer, remove_reviewer, reviewers
    from bootstrap.store.desks.shown import Claim
    from bootstrap.store.desks.taking import Answer
    from bootstrap.store.desks.traps import TrapCounts, add_traps, trap_counts
    from bootstrap.store.files.exporting import Exported, export
    from bootstrap.store.files.importing import FileItems, ImportReport, import_items, read_items
    from bootstrap.store.upkeep.backing_up import backup
    from bootstrap.store.upkeep.checking import CheckReport, check
    from bootstrap.store.upkeep.erasing import Erased, erase, prune
    from bootstrap.store.upkeep.upgrading import Upgraded, upgrade

__all__ = [
    "Answer",
    "CheckReport",
    "Claim",
    "Database",
    "Desk",
    "Erased",
    "Exported",
    "FileItems",
    "ImportReport",
    "Reviewer",
    "TrapCounts",
    "Upgraded",
    "add_reviewer",
    "add_traps",
    "backup",
    "change_classes",
    "check",
    "class_list",
    "erase",
    "export",
    "import_items",
    "prune",
    "read_items",
    "remove_reviewer",
    "reviewers",
    "trap_counts",
    "upgrade",
]

#: Name -> the module that holds it. No name is that of a module, which would hide it once that is loaded.
_HOMES = {
    "Answer": "desks.taking",
    "CheckReport": "upkeep.checking",
    "Claim": "desks.shown",
    "Database": "database",
    "Desk": "desks.desk",
    "Erased": "upkeep.erasing",
    "Exported": "files.exporting",
    "FileItems": "files.importing",
    "ImportReport": "files.importing",
    "Reviewer": "desks.reviewers",
    "TrapCounts": "desks.traps",
    "Upgraded": "upkeep.upgrading",
    "add_reviewer": "desks.reviewers",
    "add_traps": "desks.traps",
    "backup": "upkeep.backing_up",
    "change_classes": "class_lists",
    "check": "upkeep.checking",
    "class_list": "class_lists",
    "erase": "upkeep.erasing",
    "export": "files.exporting",
    "import_items": "files.importing",
    "prune": "upkeep.erasing",
    "read_items": "files.importing",
    "remove_reviewer": "desks.reviewers",
    "reviewers": "desks.reviewers",
    "trap_counts": "desks.traps",
    "upgrade": "upkeep.upgrading",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'bootstrap.store' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"bootstrap.store.{_HOMES[name]}"), name)
    globals()[name] = value  # the next use takes no detour
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
