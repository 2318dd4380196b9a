"""UiPath Orchestrator on the stage: Automation Cloud and on premises, one organisation, one tenant.

Where the facts leave a question open, a switch of the sandbox decides it:

| switch                               | default | what it decides                                                     |
|--------------------------------------|---------|---------------------------------------------------------------------|
| uipath.token_lifetime                | by way  | seconds that a token is good for; else 3600, 86400 or 1800          |
| uipath.expires_in_quoted             | false   | `expires_in` as text, as some identity servers give it              |
| uipath.pat_revoked                   | false   | the personal access token is refused, an hour after its revocation  |
| uipath.password_refused_status       | 200     | status of the envelope that refuses a password                      |
| uipath.login_denied                  | false   | a person who is asked to log in in the browser says no              |
| uipath.orchestrator_segment_required | false   | without `orchestrator_` a web page answers, as on Automation Suite  |
| uipath.classic                       | false   | an older server: organisation units, and no folders                 |
| uipath.alerts                        | true    | there are alerts; false makes them a 404, as on newer servers       |
| uipath.ignore_case                   | true    | text in filters, and references, compare without regard to case     |
| uipath.unordered_is_shuffled         | false   | lists without $orderby come in any order, as the wire promises none |
| uipath.job_by_key_needs_folder       | false   | GetByKey of jobs wants a folder header, as older servers do         |
| uipath.start_refusal                 | null    | StartJobs answers 409 with this errorCode, such as 1671 or 2818     |
| uipath.refused_strategies            | list    | strategies that are refused; else All and RobotCount                |
| uipath.entry_points                  | null    | the EntryPointPaths that a start may name; null takes any           |
| uipath.pending_error                 | null    | ErrorCode of jobs that wait, such as TemplateNoHostsAvailable       |
| uipath.old_robot                     | false   | outputs over 10,240 characters are lost instead of put in a file    |
| uipath.job_error_capitals            | false   | JobError's members begin with capitals, as the SDK has them         |
| uipath.suspend_automation            | null    | jobs of this automation are suspended before they end               |
| uipath.suspensions                   | 1       | how often such a job is suspended                                   |
| uipath.resume_inputs                 | true    | ResumeJob takes inputArguments, as the newest servers do            |
| uipath.restart_keeps_reference       | false   | a restarted job has the reference of the old one                    |
| uipath.soft_stop_ignored             | false   | a running job that is asked to stop reaches its own end instead     |
| uipath.stop_finished_refused         | false   | stopping a job that is over is a 409 instead of doing nothing       |
| uipath.stop_skips_unknown            | false   | StopJobs skips unknown ids instead of refusing them all             |
| uipath.no_queue_name_filter          | false   | QueueDefinitions refuses filters on Name, as some servers do        |
| uipath.queue_definition_name         | true    | QueueItems can be filtered by QueueDefinitionName                   |
| uipath.release_wants_sla             | true    | a queue with a release needs an SLA, as on newer servers            |
| uipath.queue_rules_fixed             | false   | a queue's unique references and encryption cannot change            |
| uipath.put_item_keeps_absent         | false   | a PUT of an item keeps what it leaves out, instead of clearing it   |
| uipath.manual_retry_ends_status      | false   | a manual retry makes the old item's Status Retried too              |
| uipath.last_retry_is_itself          | false   | an item that was never retried is its own last retry, and no 404    |
| uipath.duplicate_reference_code      | 1016    | errorCode of the 409 for a reference that is taken                  |
| uipath.bulk_ordinals                 | true    | BulkAdd tells which item failed; false leaves Ordinal null          |
| uipath.robot_identifier_required     | false   | StartTransaction wants RobotIdentifier, as older servers do         |
| uipath.list_budget                   | null    | lists of Jobs, and of QueueItems, in a minute; more are a 429       |
| uipath.retry_after_as_date           | false   | Retry-After is a date instead of seconds                            |
| uipath.direct_asset_access           | false   | assets may have AllowDirectApiAccess, as on the newest cloud        |
| uipath.unknown_asset_user_wipes      | false   | a PUT with an unknown user is a 200, and everybody's value is lost  |
| uipath.storage_status                | azure   | uploads are a 201 that wants Azure's header; `s3`: a 200 without it |
| uipath.attachments                   | true    | there are attachments; false makes them a 404, as on older servers  |
| uipath.bucket_names_intact           | false   | `& + % ?` in paths of files survive, instead of being lost          |
| uipath.bucket_paths_rooted           | true    | lists of files show paths with a slash in front                     |
| uipath.bucket_requires_auth          | false   | all files go through Orchestrator, which wants the token            |
| uipath.take_hint_doubled             | false   | ListFiles gives up to twice as many as `takeHint`                   |
| uipath.read_uri_looks                | false   | GetReadUri is a 404 for a file that is not there                    |
| uipath.package_conflict_plain        | false   | a package version that is there already makes the upload a 409      |
| uipath.package_id_has_version        | true    | a package's Id is `Name:Version`; false has the version in Key only |
| uipath.robot_state                   | null    | all robots are Disconnected, Unknown or Unresponsive                |
| uipath.status_version                | true    | Status/Version is there; false makes it a 404, as before 21.10      |
"""

from .face import UiPathFace

__all__ = ["UiPathFace"]
