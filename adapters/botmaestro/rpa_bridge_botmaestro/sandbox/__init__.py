"""BotMaestro's face of the sandbox, written from the published facts and never from the adapter's wire models.

What the facts leave open is a guess, and each guess is a switch of the world. Set it with
`world.switches["botmaestro.NAME"] = VALUE`, or at `/_sandbox/switches` of the sandbox's control.

======================== ============ ===============================================================================
switch botmaestro.NAME   default      what it decides
======================== ============ ===============================================================================
version                  "4.0.0"      the backend's version; routes that are younger than it answer 404
token_lifetime           3600         seconds until a token is refused; null for never
refresh_token            false        whether a log-in answers a `refreshToken` too
organization_header      "known"      "ignored"; "known": may be absent, else must be ours; "required"; "label": only
                                      the label will do, not the login
status_bad_login         401          answer to a wrong login or key
status_bad_token         401          answer to a missing, unknown or expired token
status_unknown           404          answer to an unknown id or label
status_unknown_automation 404         answer to a task or datapool of an unknown automation
status_conflict          400          answer to a step that the state of a task or an entry does not allow
date_format              "offset"     "offset" ends dates in +00:00, "zulu" in Z, "compact" in +0000
default_page_size        20           rows of a page when none are asked for
max_page_size            2000         most rows of a page
refuse_unknown_members   false        whether unknown members of a JSON body are refused
check_task_ids           true         whether alerts, result files and errors must name a task that exists
days_on_tasks            true         whether the task list heeds `days`
restart_production       true         whether tasks that are not tests may be restarted
cancel_running           false        whether a running task may be cancelled as a queued one can
killed_task_ends         "FINISHED"   the state of a killed task, once it is looked at; FAILED if FINISHED
task_timeout_hours       24           hours of running until a task is TIMEOUT; null for never
check_item_counts        true         whether total = processed + failed is checked
check_schema             false        whether a pushed entry must follow the datapool's schema
refuse_duplicate_keys    false        whether a second entry with the same unique key is refused
guard_final_entries      true         whether DONE, ERROR and CANCELED entries refuse another state
status_pull_inactive     204          answer to a pull from an inactive datapool
refuse_unknown_columns   true         whether a log entry may only have the log's columns
fill_missing_columns     false        whether columns missing from a log entry come back as ""
status_duplicate_key     400          answer to adding a key that a credential set has; 200 overwrites it
======================== ============ ===============================================================================
"""

from .face import BotMaestroFace

__all__ = ["BotMaestroFace"]
