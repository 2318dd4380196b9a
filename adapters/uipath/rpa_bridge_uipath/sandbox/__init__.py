"""UiPath Orchestrator on the stage: Automation Cloud and on premises, one organisation, one tenant.

Where the facts leave a question open, a switch of the sandbox decides it:

| switch                           | default | what it decides                                                     |
|----------------------------------|---------|---------------------------------------------------------------------|
| uipath.token_lifetime            | 3600    | seconds that a token is good for                                    |
| uipath.expires_in_quoted         | false   | `expires_in` as text, as some identity servers give it              |
| uipath.ignore_case               | true    | text in filters, and references, compare without regard to case     |
| uipath.unordered_is_shuffled     | false   | lists without $orderby come in any order, as the wire promises none |
| uipath.job_by_key_needs_folder   | false   | GetByKey of jobs wants a folder header, as older servers do         |
| uipath.start_refusal             | null    | StartJobs answers 409 with this errorCode, such as 1671 or 2818     |
| uipath.soft_stop_ignored         | false   | a running job that is asked to stop reaches its own end instead     |
| uipath.stop_finished_refused     | false   | stopping a job that is over is a 409 instead of doing nothing       |
| uipath.no_queue_name_filter      | false   | QueueDefinitions refuses filters on Name, as some servers do        |
| uipath.queue_definition_name     | true    | QueueItems can be filtered by QueueDefinitionName                   |
| uipath.duplicate_reference_code  | 1016    | errorCode of the 409 for a reference that is taken                  |
| uipath.bulk_ordinals             | true    | BulkAdd tells which item failed; false leaves Ordinal null          |
| uipath.robot_identifier_required | false   | StartTransaction wants RobotIdentifier, as older servers do         |
"""

from .face import UiPathFace

__all__ = ["UiPathFace"]
