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
error_body               "full"       "bare": errors have a `message` and no more; "text": they are no JSON
date_format              "offset"     "offset" ends dates in +00:00, "zulu" in Z, "compact" in +0000
default_page_size        20           rows of a page when none are asked for
max_page_size            2000         most rows of a page
refuse_unknown_members   false        whether unknown members of a JSON body are refused
coerce_numbers           true         whether a text such as "3" will do for a number
check_task_ids           true         whether alerts, result files and errors must name a task that exists
days_on_tasks            true         whether the task list heeds `days`
restart_production       true         whether tasks that are not tests may be restarted
cancel_running           false        whether a running task may be cancelled as a queued one can
killed_task_ends         "FINISHED"   the state of a killed task, once it is looked at; FAILED if FINISHED
task_timeout_hours       24           hours of running until a task is TIMEOUT; null for never
task_timeout_state       "TIMEOUT"    what the wire calls that state
check_item_counts        true         whether total = processed + failed is checked
reuse_deleted_labels     false        whether the label of a deleted datapool can be used again
running_is_active        true         whether NO_TASK_ACTIVE heeds tasks that run, and not only those that wait
trigger_when_inactive    true         whether a push into an inactive datapool pulls its trigger too
count_canceled           false        whether a datapool's summary has `countCanceled`
cancel_entries           true         whether entries can be canceled and deleted; false is an older backend: 404
check_schema             false        whether a pushed entry must follow the datapool's schema
refuse_duplicate_keys    false        whether a second entry with the same unique key is refused
guard_final_entries      true         whether DONE, ERROR and CANCELED entries refuse another state
status_pull_inactive     204          answer to a pull from an inactive datapool
retry_keeps_priority     true         whether a retry has the priority of the failed entry, and not 0
retry_first              false        whether retries are pulled before the others of their priority
zero_errors_stop         false        whether `maxErrorsBeforeInactive` 0 stops a datapool at its first error
business_errors_end_row  false        whether a business error ends a row of errors, as DONE does
refuse_unknown_columns   true         whether a log entry may only have the log's columns
fill_missing_columns     false        whether columns missing from a log entry come back as ""
status_duplicate_key     400          answer to adding a key that a credential set has; 200 overwrites it
mask_secrets             false        whether sets come back with null for their values
numeric_error_ids        false        whether ids of errors are numbers instead of texts
refuse_unknown_languages false        whether an error's language must be one that is known
======================== ============ ===============================================================================
"""

from .face import BotMaestroFace

__all__ = ["BotMaestroFace"]
