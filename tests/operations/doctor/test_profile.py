"""A profile is read as Snakemake and its plug-in for SLURM read it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.doctor import configuration
from tests.support.workflows import Workflow

from reversegen.config.load import read_yaml
from reversegen.operations.doctor.profile import check_overrides, check_profile
from reversegen.operations.slurm_profile import JobRequest, Keys, Profile, read_profile


@pytest.mark.parametrize(
    ("content", "state", "text"),
    [
        (None, "stops", "no profile"),
        ("executor: [", "stops", "config.yaml: "),
        ("- executor", "stops", "config.yaml: the content is a list; give keys and values instead"),
        ("executor: 5", "stops", "config.yaml: executor: "),
        ("executor: a.b", "stops", "config.yaml: executor: "),
        (
            "default-resources: [mem_mb]",
            "stops",
            "config.yaml: default-resources: Value error, 'mem_mb' is not of the form name=value",
        ),
        ("default-resources: 5", "stops", "config.yaml: default-resources: "),
        ('default-resources: {slurm_extra: "--comment=\'a b"}', "stops", "default-resources: slurm_extra: No closing"),
        ("set-resources: {train_target: 5}", "stops", "set-resources: Value error, train_target needs a mapping"),
        ("config: [gres]", "stops", "config.yaml: config: Value error, 'gres' is not of the form name=value"),
        ("software-deployment-method: {conda: 1}", "stops", "config.yaml: software-deployment-method"),
        ("slurm-init-seconds-before-status-checks: 20s", "stops", "slurm-init-seconds-before-status-checks: "),
        ("slurm-partition-config: 5", "stops", "config.yaml: slurm-partition-config: "),
        ("slurm-partition-config: parts.yaml", "stops", "slurm-partition-config: parts.yaml: no such file"),
        ("executor: nonesuch", "stops", "executor nonesuch: not installed"),
        ("jobs: 1", "ok", "executor local"),
    ],
)
def test_a_profile_is_accepted_or_refused_with_its_name(
    tmp_path: Path, content: str | None, state: str, text: str
) -> None:
    if content is not None:
        (tmp_path / "config.yaml").write_text(content)
    [finding], profile = check_profile(tmp_path)
    assert (finding.state, bool(finding.fix)) == (state, state == "stops")
    assert text in finding.text
    assert (profile is None) == (state == "stops")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("partitions: {cpu: {max_gpu: eight}}", "partitions.cpu.max_gpu: "),
        ('partitions: {cpu: {max_mem_mb: "5000"}}', "partitions.cpu.max_mem_mb: "),
        ("partitions: {cpu: {max_runtime: soon}}", "partitions.cpu.max_runtime: Value error, not a time"),
        ("partitions: {cpu: {max_gpus: 8}}", "partitions.cpu.max_gpus: "),
        ("partitions: {cpu: }", "partitions.cpu: "),
        ("partitions: {5: {}}", "partitions.5"),
        ("partitions: [cpu]", "partitions: "),
        ("parts: {}", "partitions: "),
        ("[cpu]", "the content is a list; give keys and values instead"),
        ("partitions: {cpu", "not a readable YAML file: "),
        ("partitions: {cpu: {}, cpu: {}}", "not a readable YAML file: "),
        ("\udcff", "not a readable YAML file: "),
    ],
)
def test_a_file_of_partitions_is_read_whole_or_refused_by_its_key(tmp_path: Path, content: str, text: str) -> None:
    (tmp_path / "config.yaml").write_text("slurm-partition-config: parts.yaml")
    (tmp_path / "parts.yaml").write_bytes(content.encode(errors="surrogateescape"))
    [finding], profile = check_profile(tmp_path)
    assert (finding.state, profile) == ("stops", None)
    assert finding.text.startswith(f"{tmp_path / 'parts.yaml'}: {text}")
    assert "\n" not in finding.text


@pytest.mark.parametrize(
    ("given", "minutes"),
    [
        ("90", 90),
        ("90.5", 90.5),
        ("1d", 1440),
        ("2d12h30m", 3630),
        ('"1:30:00"', 90),
        ("1-00:00:00", 1440),
        ("2-12", 3600),
    ],
)
def test_a_partitions_time_is_read_as_the_plug_in_reads_it(tmp_path: Path, given: str, minutes: float) -> None:
    (tmp_path / "config.yaml").write_text("slurm-partition-config: parts.yaml")
    (tmp_path / "parts.yaml").write_text(f"partitions: {{cpu: {{max_runtime: {given}}}}}")
    [partition] = read_profile(tmp_path).partitions
    assert partition.limits
    assert partition.limits.max_runtime == minutes
    assert partition.takes(JobRequest(1, 2000, 60, 0))
    assert not partition.takes(JobRequest(1, 2000, 60, 1))


def test_a_file_of_partitions_is_looked_up_beside_the_profile_and_where_snakemake_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "site").mkdir()
    monkeypatch.setenv("SITE", "site")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text("slurm-partition-config: $SITE/parts.yaml")
    (tmp_path / "site/config.yaml").write_text("slurm-partition-config: parts.yaml")
    for place in (tmp_path / "parts.yaml", tmp_path / "site/parts.yaml"):
        place.write_text(f"partitions: {{{place.parent.name}: {{}}}}")
    for folder in (tmp_path, tmp_path / "site"):
        assert [partition.name for partition in read_profile(folder).partitions] == ["site"]


def test_resources_are_read_in_all_of_their_forms() -> None:
    forms = [{"slurm_account": "a", "mem_mb": 5}, ["slurm_account=a", "mem_mb=5"], "slurm_account=a=b"]
    assert [Keys.model_validate({"default-resources": form}).default_resources for form in forms] == [
        {"slurm_account": "a", "mem_mb": 5},
        {"slurm_account": "a", "mem_mb": "5"},
        {"slurm_account": "a=b"},
    ]
    for form in ({"train_target": {"runtime": "1d"}}, ["train_target:runtime=1d"]):
        assert Keys.model_validate({"set-resources": form}).set_resources == {"train_target:runtime": "1d"}


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ("[gres=gpus]", "gres: "),
        ("gres=gpus", "gres: "),
        ("{gres: gpus}", "gres: "),
        ("{gres: null}", "gres: "),
        ("[shards=2]", "shards: "),
        ("['random_seeds=[0,0]']", "random_seeds: "),
        ("[costs=5]", "costs: "),
        ("['sizes={tiny: 5}']", "sizes.tiny: "),
    ],
)
def test_a_profiles_configuration_that_the_workflow_refuses_is_found(
    workflow: Workflow, config: str, text: str
) -> None:
    (workflow.folder / "site").mkdir()
    (workflow.folder / "site/config.yaml").write_text(f"config: {config}")
    profile = read_profile(workflow.folder / "site")
    places = workflow.folder / "config"
    found, _ = check_overrides(read_yaml(places / "config.yaml"), configuration(workflow), profile, places)
    assert [(finding.subject, finding.state) for finding in found] == [("profile", "stops")]
    assert found[0].text.startswith(f"{profile.file}: config: {text}")
    assert found[0].fix


def test_a_profiles_configuration_overrides_that_of_the_workflow(workflow: Workflow) -> None:
    """It may have Snakemake's forms: texts for numbers, YAML in a text, and sections merged key by key."""
    changes = ["gres=gpu:a100", "random_seeds=[0,1]", "costs={question_tokens: 50}"]
    keys = Keys.model_validate({"config": changes})
    places = workflow.folder / "config"
    profile = Profile(places / "none.yaml", keys, [])
    before = configuration(workflow)
    found, after = check_overrides(read_yaml(places / "config.yaml"), before, profile, places)
    assert found == []
    assert (after.workflow.gres, after.workflow.random_seeds) == ("gpu:a100", [0, 1])
    assert after.workflow.costs == before.workflow.costs.model_copy(update={"question_tokens": 50})
    assert Keys.model_validate({"config": ["gres=", "tables={"]}).overrides == {"gres": None, "tables": "{"}
