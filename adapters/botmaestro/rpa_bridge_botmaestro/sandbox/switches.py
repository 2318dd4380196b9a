"""How this face decides what the facts leave open, unless the world says otherwise; the package says more."""

from __future__ import annotations

from typing import Any

DEFAULTS: dict[str, Any] = {
    "version": "4.0.0",
    "token_lifetime": 3600,
    "refresh_token": False,
    "organization_header": "known",
    "status_bad_login": 401,
    "status_bad_token": 401,
    "status_unknown": 404,
    "status_unknown_automation": 404,
    "status_conflict": 400,
    "date_format": "offset",
    "default_page_size": 20,
    "max_page_size": 2000,
    "refuse_unknown_members": False,
    "check_task_ids": True,
    "days_on_tasks": True,
    "restart_production": True,
    "cancel_running": False,
    "killed_task_ends": "FINISHED",
    "task_timeout_hours": 24,
    "check_item_counts": True,
    "check_schema": False,
    "refuse_duplicate_keys": False,
    "guard_final_entries": True,
    "status_pull_inactive": 204,
    "refuse_unknown_columns": True,
    "fill_missing_columns": False,
    "status_duplicate_key": 400,
}
