"""The configuration: the meaning, type and range of every key. The files in `config/` hold the values and their reasons.

| module | holds |
|---|---|
| `fields` | types of values that several sections share, and the base class of all sections |
| `data` | sources of instructions and test questions |
| `models` | `models.yaml`: where a model comes from, how it is loaded or reached, and how it is asked |
| `training` | warm-up, pairs, DPO and enhancement |
| `sampling` | the prompts and samples of the proposer |
| `task` | `tasks/NAME.yaml`: a task, and its other sections |
| `workflow` | `config.yaml`, and the whole configuration: `Configuration` |
| `paths` | the models and data that a task names, and the paths of all files |
| `load` | reads and validates the files |
| `checks` | refuses faults that concern more than one section |
| `json_schema` | the schemas with which editors check the files |

This package knows no kind and no world: the caller of `load` and `json_schema` passes them. `workflow.configuration` is one
such caller.
"""
