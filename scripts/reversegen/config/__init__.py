"""The configuration: what every key means, its type and its range. Values and their reasons stand in `config/`.

| module | holds |
|---|---|
| `fields` | types of values that several sections have, and the class of all sections |
| `data` | where instructions and test questions come from |
| `models` | `models.yaml`: where a model comes from, how it is loaded, reached and asked |
| `training` | warm-up, pairs, DPO and enhancement |
| `task` | `tasks/NAME.yaml`: a task, and its other sections |
| `workflow` | `config.yaml`, and everything together: `Configuration` |
| `paths` | the models and data that a task names, and where everything lies |
| `load` | reads the files |
| `checks` | refuses what no single section can |
| `json_schema` | what editors check the files with |

It knows no kind of task and no world: `load` and `json_schema` are given them, as `workflow.configuration` does.
"""
