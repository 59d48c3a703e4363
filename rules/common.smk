# Reads and validates the configuration, and binds the functions of scripts/reversegen/workflow/ to it. Their remaining parameters
# are the names that a rule gives, and wildcards. Each module has one block.
import gc
import inspect
import json
import os
import re
import sys
from pathlib import Path
from types import MethodType

# The path is relative to this file. `workflow.basedir` would be the folder of a workflow that imports this one.
sys.path.insert(0, str(Path(inspect.currentframe().f_code.co_filename).parents[1] / "scripts"))

from reversegen.config.fields import TASK_WILDCARD
from reversegen.config.judge_settings import EXACT
from reversegen.core.sources import SOURCES
from reversegen.reporting.reported import read_reported
from reversegen.workflow import arms, enhance, evaluate, explore, judge, models, prepare, publish, roles, shards, tasks
from reversegen.workflow import report as reports
from reversegen.workflow import resources as requests
from reversegen.workflow import worlds
from reversegen.workflow.bad_input import ending_snakemake, ends_snakemake
from reversegen.workflow.configuration import load_configuration
from reversegen.workflow.environment import BUDGETED, WARNED, prepare_environment
from reversegen.workflow.file_checks import FileChecks

prepare_environment()

with ending_snakemake():
    CONFIGURATION = load_configuration(config, Path("config"))

if CONFIGURATION.faults and WARNED not in os.environ:
    os.environ[WARNED] = "1"  # each job reads the files again and must not repeat the warning
    print(
        "Warning: faults in config/, which stop only the tasks that need the faulty entries:",
        *CONFIGURATION.faults.values(),
        sep="\n  ",
        file=sys.stderr,
    )

if any(any(dict(task.budget).values()) for task in CONFIGURATION.tasks.values()):
    os.environ[BUDGETED] = json.dumps(config)  # jobs check their budget when they start, on any machine

# Planned jobs live until the end, so garbage collection among thousands of them only costs time.
gc.set_threshold(1_000_000)


# One scatter process for each task, with the task's number of shards; --set-scatter TASK=N sets another number.
scattergather:
    **{name: task.shards for name, task in CONFIGURATION.tasks.items()},


TABLES = list(CONFIGURATION.workflow.tables)


wildcard_constraints:
    task=TASK_WILDCARD,
    shard=r"(\.[0-9]+-of-[0-9]+)?",
    iteration="0|[1-9][0-9]*",
    arm=r"iter(0|[1-9][0-9]*)|control|untrained",
    variant="|".join(["original", *(f"enhanced/{source}" for source in SOURCES)]),
    source="|".join(SOURCES),
    set=r"\w[\w-]*",
    artefact=r"dataset|iter(0|[1-9][0-9]*)/proposer|enhanced/\w+/target",
    model="|".join(map(re.escape, CONFIGURATION.models)),
    judge="|".join(map(re.escape, [*CONFIGURATION.models, EXACT])),
    table="|".join(TABLES),


def bound(function):
    """The function with the configuration as its first argument. Bad input ends Snakemake with one line."""
    return ends_snakemake(MethodType(function, CONFIGURATION))


# tasks
setting = bound(tasks.setting)
whole_setting = bound(tasks.whole_setting)
kind_use = bound(tasks.kind_use)
referenced = bound(tasks.referenced)
multiple_choice = bound(tasks.multiple_choice)
probed = bound(tasks.probed)
sampled = bound(tasks.sampled)
repeated = bound(tasks.repeated)
part_file = bound(tasks.part_file)
test_questions = bound(tasks.test_questions)
code = bound(tasks.code)
stage = bound(tasks.stage)
training_stage = bound(tasks.training_stage)
tracking = tasks.tracking(CONFIGURATION)
configuration_hash = bound(tasks.configuration_hash)
planned_configuration = bound(tasks.planned_configuration)

# roles
role_folder = bound(roles.role_folder)
model_use = bound(roles.model_use)
trained_model = bound(roles.trained_model)
endpoint_limits = bound(roles.endpoint_limits)

# resources
amount = bound(requests.amount)
job_gpus = bound(requests.job_gpus)
with_next = bound(requests.with_next)

# arms
iterated = bound(arms.iterated)
arm_proposer = bound(arms.arm_proposer)
of_previous = bound(arms.of_previous)
previous_contamination = bound(arms.previous_contamination)
following_proposer = bound(arms.following_proposer)
reference_proposer = bound(arms.reference_proposer)
pruned_before = bound(arms.pruned_before)
training_pairs = bound(arms.training_pairs)
up_to_now = bound(arms.up_to_now)
before_now = bound(arms.before_now)
of_trained = bound(arms.of_trained)
of_every = bound(arms.of_every)
of_every_but_the_last = bound(arms.of_every_but_the_last)
of_every_referenced = bound(arms.of_every_referenced)
of_warmup = bound(arms.of_warmup)
of_warmup_and_trained = bound(arms.of_warmup_and_trained)
last_iteration = bound(arms.last_iteration)
variant_folder = bound(arms.variant_folder)
variant_selection = bound(arms.variant_selection)
original_labels = bound(arms.original_labels)

# models
fetches = models.Fetches(CONFIGURATION)
asked_models = models.AskedModels(
    CONFIGURATION, deploys="conda" in map(str, workflow.deployment_settings.deployment_method)
)
asked_folder = ends_snakemake(asked_models.asked_folder)
tiny_model = bound(models.tiny_model)
model_weights = bound(models.model_weights)
model_repo = bound(models.model_repo)
model_revision = bound(models.model_revision)
data_source = bound(models.data_source)
data_revision = bound(models.data_revision)
url_source = bound(models.url_source)
package_source = bound(models.package_source)
gguf_source = bound(models.gguf_source)
size_of = bound(models.size_of)
fetched_models = bound(models.fetched_models)
fetched_data = bound(models.fetched_data)

# worlds
world_tables = bound(worlds.world_tables)

# prepare
file_checks = FileChecks(CONFIGURATION, read_reported)
seed_files = ends_snakemake(file_checks.seed_files)
seed_sources = bound(prepare.seed_sources)
test_file = ends_snakemake(file_checks.test_file)
test_source = bound(prepare.test_source)

# judge
judge_setting = bound(judge.judge_setting)
whole_judge = judge.whole_judge(CONFIGURATION)
judge_decision = bound(judge.judge_decision)
judge_categories = bound(judge.judge_categories)
holds_out = bound(judge.holds_out)
panel_files = bound(judge.panel_files)
holdout_files = bound(judge.holdout_files)
judge_folders = bound(judge.judge_folders)
first_evaluation = bound(judge.first_evaluation)
checked_gap = bound(judge.checked_gap)
pairs_group = bound(judge.pairs_group)
labelled_files = ends_snakemake(file_checks.labelled_files)
labelled_sources = bound(judge.labelled_sources)
labelled_openings = bound(judge.labelled_openings)

# shards
shard_of = bound(shards.shard_of)
gathered_with = bound(shards.gathered_with)


def shard_files(wildcards):
    """The shards of a gathered file, in order. Only Snakemake knows their number, which --set-scatter may change."""
    gathered = getattr(gather, tasks.task_name(wildcards))
    return gathered(f"results/{wildcards.task}/{wildcards.stem}.{{scatteritem}}.jsonl")


# explore
embedding_files = bound(explore.embedding_files)
test_embeddings = bound(explore.test_embeddings)
embedding_cache = bound(explore.embedding_cache)
embedding_settings = bound(explore.embedding_settings)
stops_on_collapse = bound(explore.stops_on_collapse)

# enhance
judged_references = bound(enhance.judged_references)
trainable_target = bound(enhance.trainable_target)

# evaluate
audit_file = ends_snakemake(file_checks.audit_file)
iterated_teacher = bound(evaluate.iterated_teacher)
readers = bound(evaluate.readers)
own_evals = bound(evaluate.own_evals)

# report
reported_file = ends_snakemake(file_checks.reported_file)
replicates = bound(reports.replicates)
first_replicate = bound(reports.first_replicate)
trained_models = bound(reports.trained_models)
audit_files = bound(reports.audit_files)
audited_judgements = bound(reports.audited_judgements)
clear_texts = bound(reports.clear_texts)
reused_tasks = bound(reports.reused_tasks)
extended_task = bound(reports.extended_task)
benchmarked = bound(reports.benchmarked)
existing_evals = bound(reports.existing_evals)
existing_evals_hash = bound(reports.existing_evals_hash)
tests_there = bound(reports.tests_there)
faulty_tasks = bound(reports.faulty_tasks)
own_outcomes = bound(reports.own_outcomes)
shipped_outcomes = bound(reports.shipped_outcomes)
shipped_outcomes_hash = bound(reports.shipped_outcomes_hash)
without_results = bound(reports.without_results)

# publish
enhancement_rows = bound(publish.enhancement_rows)
described_models = bound(publish.described_models)
pushed_folder = bound(publish.pushed_folder)
hub_repository = bound(publish.hub_repository)
repository_type = bound(publish.repository_type)
